"""HDLC-like framing (RFC 1662): frames into a line's bytes, and bytes into frames."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

FLAG, ESCAPE, TRANSPARENCY = 0x7E, 0x7D, 0x20
EVERY_CONTROL = 0xFFFFFFFF
"""The async-control-character-map before anything is agreed on (RFC 1662 §7.1)."""
LONGEST = 1 << 17
"""Bytes between two flags that are kept: of what is longer it is only said that it was."""
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FLAGS, _ESCAPES = bytes([FLAG]), bytes([ESCAPE])


class Check(Enum):
    """A frame check sequence: its octets."""

    FCS16 = 2
    FCS32 = 4


def fcs16(data: bytes) -> int:
    """RFC 1662, Appendix C.2. Its bits are sent the lowest first, which binascii's CRC of the same polynomial has the
    other way round."""
    crc = binascii.crc_hqx(data.translate(_REVERSED), 0xFFFF) ^ 0xFFFF
    return _REVERSED[crc & 0xFF] << 8 | _REVERSED[crc >> 8]


def fcs32(data: bytes) -> int:
    """RFC 1662, Appendix C.3: what zlib has."""
    return zlib.crc32(data)


def check_of(data: bytes, check: Check) -> bytes:
    """What stands behind a frame."""
    return struct.pack("<H", fcs16(data)) if check is Check.FCS16 else struct.pack("<I", fcs32(data))


def escaped(data: bytes, accm: int = EVERY_CONTROL) -> bytes:
    """With what is to be escaped escaped: flags, escapes, and the control characters of a map."""
    out = bytearray()
    for byte in data:
        if byte in (FLAG, ESCAPE) or (byte < 0x20 and accm >> byte & 1):
            out += bytes((ESCAPE, byte ^ TRANSPARENCY))
        else:
            out.append(byte)
    return bytes(out)


def framed(data: bytes, accm: int = EVERY_CONTROL, check: Check = Check.FCS16) -> bytes:
    """A frame on the line. ``data``: from its address field, or from its protocol where that is left out."""
    return _FLAGS + escaped(data + check_of(data, check), accm) + _FLAGS


class Wrong(Enum):
    """Why what stands between two flags is no frame."""

    ABORTED = "aborted"
    SHORT = "too short"
    LONG = "too long"
    CHECK = "its check sequence is wrong"


@dataclass(frozen=True)
class NoFrame:
    """Something between two flags. ``data`` without escapes; for one that was too long, nothing."""

    wrong: Wrong
    data: bytes


class Decoder:
    """One direction's bytes. ``accm``: control characters that come bare, and are in it, were put in on the way, and
    are nothing (RFC 1662 §7.1); ``check``: which check sequence there is."""

    def __init__(self, accm: int = 0, check: Check = Check.FCS16, longest: int = LONGEST) -> None:
        self.accm = accm
        self.check = check
        self._longest = longest
        self._rest = b""
        self._overlong = False

    def feed(self, data: bytes) -> Iterator[bytes | NoFrame]:
        """What these bytes complete: frames without escapes and check sequence, and what is none."""
        *complete, rest = (self._rest + data).split(_FLAGS)
        self._rest = rest
        for raw in complete:
            overlong, self._overlong = self._overlong or len(raw) > self._longest, False
            if overlong:
                yield NoFrame(Wrong.LONG, b"")
            elif raw:
                yield self._frame(raw)
        if len(self._rest) > self._longest:
            self._rest, self._overlong = b"", True

    def _frame(self, raw: bytes) -> bytes | NoFrame:
        if raw.endswith(_ESCAPES):
            return NoFrame(Wrong.ABORTED, raw)
        bare = bytes(byte for byte in range(0x20) if self.accm >> byte & 1)
        data = _unescaped(raw.translate(None, bare) if bare else raw)
        octets = self.check.value
        if len(data) < octets + 2:
            return NoFrame(Wrong.SHORT, data)
        body = data[:-octets]
        return body if check_of(body, self.check) == data[-octets:] else NoFrame(Wrong.CHECK, data)


def _unescaped(raw: bytes) -> bytes:
    first, *others = raw.split(_ESCAPES)
    if not others:
        return first
    return first + b"".join(bytes((piece[0] ^ TRANSPARENCY,)) + piece[1:] for piece in others if piece)
