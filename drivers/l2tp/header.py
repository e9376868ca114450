"""The header of a control message, and a whole datagram of one (RFC 2661 §3.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

CONTROL = 0xC802
"""T, L and S set, version 2: what a control message's first two bytes are (§3.1)."""
T_BIT, VERSION, IGNORED = 0x8000, 0x000F, 0x37F0
HEAD = 12


class Error(IntEnum):
    """General error codes (§4.4.2)."""

    NONE = 0
    NO_CONTROL_CONNECTION = 1
    WRONG_LENGTH = 2
    OUT_OF_RANGE = 3
    NO_RESOURCES = 4
    INVALID_SESSION = 5
    VENDOR = 6
    TRY_ANOTHER = 7
    UNKNOWN_MANDATORY = 8


class MalformedError(ValueError):
    """A message that cannot be taken. ``error`` is what its sender is told; ``kind`` None where not even that is
    known, and then it is dropped."""

    def __init__(self, message: str, error: Error, kind: int | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.kind = kind


@dataclass(frozen=True)
class Header:
    """Of a control message. ``tunnel`` and ``session`` are the receiver's ids."""

    tunnel: int
    session: int
    ns: int
    nr: int


def is_control(datagram: bytes) -> bool:
    """Whether a datagram is a control message at all, and not data, which is the kernel's."""
    return len(datagram) >= 2 and bool(datagram[0] & 0x80)


def pack(header: Header, body: bytes) -> bytes:
    """A whole datagram."""
    return struct.pack("!HHHHHH", CONTROL, HEAD + len(body), header.tunnel, header.session, header.ns, header.nr) + body


def unpack(datagram: bytes) -> tuple[Header, bytes]:
    """Header and body of a control message. Raises MalformedError, with no kind: nobody is told of such."""
    if len(datagram) < HEAD:
        raise MalformedError(f"{len(datagram)} bytes are no control message", Error.WRONG_LENGTH)
    flags, length, tunnel, session, ns, nr = struct.unpack_from("!HHHHHH", datagram)
    if flags & ~IGNORED != CONTROL:
        raise MalformedError(f"flags and version are {flags:#06x}, not {CONTROL:#06x}", Error.OUT_OF_RANGE)
    if not HEAD <= length <= len(datagram):
        raise MalformedError(f"it says that it is {length} bytes long, of {len(datagram)}", Error.WRONG_LENGTH)
    return Header(tunnel, session, ns, nr), datagram[HEAD:length]
