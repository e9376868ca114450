"""The header of a packet at a gateway: what its rules can ask about, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv6Address

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
Address = IPv4Address | IPv6Address
WITH_PORTS = {TCP: "TCP", UDP: "UDP", 132: "SCTP", 33: "DCCP", 136: "UDP-Lite"}
PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    4: "IP in IP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
} | WITH_PORTS
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
ITSELF = "the gateway itself"
"""Stands for an interface where the gateway is the one that a packet is for, or that it comes from."""


class State(IntEnum):
    """What conntrack makes of a packet (iptables-extensions(8), ``--ctstate``)."""

    NEW = 0
    ESTABLISHED = 1
    RELATED = 2
    INVALID = 3
    UNTRACKED = 4


class Field(Enum):
    """A field. Interfaces are numbered by :class:`rig.proof.space.Space`; ``TO_PORT`` is, of an ICMP message, its type
    and code."""

    IN = "in"
    OUT = "out"
    STATE = "state"
    OPTIONS = "options"
    FRAGMENT = "fragment"
    PROTOCOL = "protocol"
    FLAGS = "flags"
    TO_PORT = "to port"
    FROM_PORT = "from port"
    DESTINATION = "destination"
    SOURCE = "source"


WIDTHS = {
    Field.STATE: 3, Field.OPTIONS: 1, Field.FRAGMENT: 1, Field.PROTOCOL: 8, Field.FLAGS: 6, Field.TO_PORT: 16,
    Field.FROM_PORT: 16,
}  # fmt: skip
"""In bits; an address has those of its version."""
ADDRESS_BITS = {4: 32, 6: 128}


def address(number: int, version: int) -> Address:
    """The address of a version that a whole number is."""
    return IPv4Address(number) if version == 4 else IPv6Address(number)


@dataclass(frozen=True)
class Header:
    """One packet. ``coming``, ``going``: interfaces by name, or ITSELF; ``options``: whether it has IP options;
    ``fragment``: whether it is a later piece of a packet; ``flags``: TCP's six, as RFC 9293 §3.1 numbers them."""

    coming: str
    going: str
    source: Address
    destination: Address
    protocol: int = TCP
    from_port: int = 0
    to_port: int = 0
    flags: int = 0
    state: State = State.NEW
    options: bool = False
    fragment: bool = False

    def numbers(self) -> Iterator[tuple[Field, int]]:
        """The fields but the interfaces, as whole numbers."""
        yield Field.STATE, int(self.state)
        yield Field.OPTIONS, int(self.options)
        yield Field.FRAGMENT, int(self.fragment)
        yield Field.PROTOCOL, self.protocol
        yield Field.FLAGS, self.flags
        yield Field.TO_PORT, self.to_port
        yield Field.FROM_PORT, self.from_port
        yield Field.DESTINATION, int(self.destination)
        yield Field.SOURCE, int(self.source)

    def __str__(self) -> str:
        name = PROTOCOLS.get(self.protocol, f"protocol {self.protocol}")
        source, destination = str(self.source), str(self.destination)
        if self.protocol in WITH_PORTS and not self.fragment:
            source, destination = _at(self.source, self.from_port), _at(self.destination, self.to_port)
        if self.protocol in (ICMP, ICMPV6) and not self.fragment:
            name += f" type {self.to_port >> 8} code {self.to_port & 255}"
        said = [f"{name} from {source} to {destination}", f"{self.coming} to {self.going}", self.state.name]
        if self.protocol == TCP:
            said.insert(1, " ".join(name for name, bit in FLAGS.items() if self.flags & bit) or "no flag")
        if self.options:
            said.append("with IP options")
        if self.fragment:
            said.append("a later fragment")
        return ", ".join(said)


def _at(address: Address, port: int) -> str:
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"
