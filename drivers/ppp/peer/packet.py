"""PPP's control packets (RFC 1661 §5, §6): what LCP and the protocols that are like it say."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum

import msgspec

HEAD = struct.Struct("!BBH")
"""Code, identifier, length."""
ADDRESS_AND_CONTROL = b"\xff\x03"
LCP, PAP, CHAP, IPCP, IPV6CP, IP, LQR = 0xC021, 0xC023, 0xC223, 0x8021, 0x8057, 0x0021, 0xC025


class Code(IntEnum):
    """RFC 1661 §5; the last from RFC 1570 §2.1, §2.2."""

    CONFIGURE_REQUEST = 1
    CONFIGURE_ACK = 2
    CONFIGURE_NAK = 3
    CONFIGURE_REJECT = 4
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    CODE_REJECT = 7
    PROTOCOL_REJECT = 8
    ECHO_REQUEST = 9
    ECHO_REPLY = 10
    DISCARD_REQUEST = 11
    IDENTIFICATION = 12
    TIME_REMAINING = 13


class Kind(IntEnum):
    """LCP's options: RFC 1661 §6; RFC 1570 §2.3 and §2.4 the check sequence and padding."""

    MRU = 1
    ACCM = 2
    AUTHENTICATION = 3
    QUALITY = 4
    MAGIC = 5
    PFC = 7
    ACFC = 8
    FCS = 9


CODES: dict[int, str] = {int(code): code.name.replace("_", "-").title() for code in Code}
NAMES: dict[int, dict[int, str]] = {
    PAP: {1: "Authenticate-Request", 2: "Authenticate-Ack", 3: "Authenticate-Nak"},
    CHAP: {1: "Challenge", 2: "Response", 3: "Success", 4: "Failure"},
}
"""What the codes of a protocol are called that has its own; RFC 1334 §2.2, RFC 1994 §4."""
PROTOCOLS: dict[int, str] = {LCP: "LCP", PAP: "PAP", CHAP: "CHAP", IPCP: "IPCP", IPV6CP: "IPV6CP"}


def name_of(protocol: int, code: int) -> str:
    """What a packet is called: its protocol and its code, by their numbers where they have no names."""
    where = PROTOCOLS.get(protocol, f"protocol 0x{protocol:04x}")
    return f"{where} {NAMES.get(protocol, CODES).get(code) or f'code {code}'}"


EVERY_NAME = tuple(name_of(protocol, code) for protocol in PROTOCOLS for code in NAMES.get(protocol, CODES))


class MalformedError(ValueError):
    """No packet, or no options: in words, why."""


class Option(msgspec.Struct, frozen=True):
    """One configuration option: its type, and its data."""

    kind: int
    value: bytes = b""

    def pack(self) -> bytes:
        return bytes((self.kind, len(self.value) + 2)) + self.value

    def __str__(self) -> str:
        name = Kind(self.kind).name if self.kind in Kind._value2member_map_ else f"option {self.kind}"
        return f"{name} {self.value.hex()}".strip()


class Packet(msgspec.Struct, frozen=True):
    """``protocol``: in which it came; ``data``: what is behind its length; ``length``: that it says, where that is
    another than its own."""

    protocol: int
    code: int
    id: int
    data: bytes = b""
    length: int | None = None

    @property
    def options(self) -> tuple[Option, ...]:
        """Raises MalformedError."""
        return options_in(self.data)

    def option(self, kind: int) -> Option | None:
        return next((one for one in self.options if one.kind == kind), None)

    @property
    def name(self) -> str:
        """See name_of."""
        return name_of(self.protocol, self.code)

    def pack(self) -> bytes:
        """From its code."""
        length = len(self.data) + 4 if self.length is None else self.length
        return HEAD.pack(self.code, self.id & 0xFF, length) + self.data

    def frame(self, *, address: bool = True, short: bool = False) -> bytes:
        """From the address field. ``address``: whether there is one; ``short``: the protocol in one octet, where it can
        be (RFC 1661 §6.5)."""
        number = self.protocol
        protocol = bytes((number,)) if short and number < 0x100 and number & 1 else struct.pack("!H", number)
        return (ADDRESS_AND_CONTROL if address else b"") + protocol + self.pack()

    def __str__(self) -> str:
        """For people; of PAP, which carries a password, without what is in it."""
        said = f" {self.data[:16].hex()}" if self.data and self.protocol != PAP else ""
        if Code.CONFIGURE_REQUEST <= self.code <= Code.CONFIGURE_REJECT and self.protocol in (LCP, IPCP, IPV6CP):
            try:
                said = "".join(f" <{one}>" if self.protocol == LCP else f" <{one.kind}>" for one in self.options)
            except MalformedError:
                said += " (no options)"
        return f"{self.name} id={self.id}{said}"


def protocol_in(frame: bytes) -> tuple[int, bytes, bool]:
    """A frame's protocol, what is behind it, and whether it had an address field. Raises MalformedError."""
    address = frame.startswith(ADDRESS_AND_CONTROL)
    at = 2 if address else 0
    try:
        number = frame[at]
        if not number & 1:
            at += 1
            number = number << 8 | frame[at]
    except IndexError:
        raise MalformedError("it has no protocol") from None
    if not number & 1:
        raise MalformedError(f"0x{number:04x} is no protocol: its lowest bit is 0")
    return number, frame[at + 1 :], address


def packet_in(protocol: int, data: bytes) -> Packet:
    """A control packet; what is behind its length is padding (RFC 1661 §5). Raises MalformedError."""
    if len(data) < 4:
        raise MalformedError(f"{len(data)} octets are no packet")
    code, number, length = HEAD.unpack_from(data)
    if not 4 <= length <= len(data):
        raise MalformedError(f"its length says {length}, and there are {len(data)}")
    return Packet(protocol, code, number, data[4:length])


def control_packet_in(frame: bytes) -> Packet | None:
    """A control protocol's packet (RFC 1661 §2: its number is 0x8000 or above); None for anything else."""
    try:
        protocol, data, _ = protocol_in(frame)
        return packet_in(protocol, data) if protocol >= 0x8000 else None
    except MalformedError:
        return None


def options_in(data: bytes) -> tuple[Option, ...]:
    """Raises MalformedError."""
    found, at, end = [], 0, len(data)
    while at < end:
        length = data[at + 1] if at + 1 < end else 0
        following = at + length
        if length < 2 or following > end:
            raise MalformedError(f"an option of type {data[at]} says that it has {length} octets")
        found.append(Option(data[at], data[at + 2 : following]))
        at = following
    return tuple(found)


def packed(options: Iterable[Option]) -> bytes:
    return b"".join(one.pack() for one in options)
