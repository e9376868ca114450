"""What pppd says, read line by line as it says it. Sans-I/O.

With ``debug`` and ``logfd`` pppd writes each control packet and each step to a descriptor the moment it
happens; this turns the lines into events. The sentences are those of pppd 2.4.9 to 2.5 (main.c, auth.c,
ipcp.c, upap.c, tty.c), which are not translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from rig.drivers.ppp.ppp_packet import LoggedPacket, packet_in


class Phase(Enum):
    """How far a session has come, in its order."""

    LCP = "LCP"
    PAP = "PAP"
    CHAP = "CHAP"
    IPCP = "IPCP"
    UP = "UP"


@dataclass(frozen=True)
class Reached:
    """A phase began."""

    phase: Phase


@dataclass(frozen=True)
class Authenticated:
    """The peer accepted us, or we accepted it, by this protocol."""

    protocol: str


@dataclass(frozen=True)
class Refused:
    """Authentication was refused; ``reason`` is the peer's own message, where it sent one."""

    reason: str


@dataclass(frozen=True)
class Unanswered:
    """The peer asked for this protocol, and answers nothing to what we say of ourselves."""

    protocol: str


@dataclass(frozen=True)
class Addresses:
    """Both ends' addresses are agreed and the interface is up."""

    local: IPv4Address
    peer: IPv4Address


@dataclass(frozen=True)
class Interface:
    name: str


@dataclass(frozen=True)
class Ended:
    """Why the link goes down, in pppd's words."""

    reason: str


@dataclass(frozen=True)
class MapAgreed:
    """One end has agreed which control characters it will escape (RFC 1662 §7.1): a bit each, 31 to 0.

    ``by_us``: we have agreed to what the peer asked for.
    """

    characters: int
    by_us: bool


@dataclass(frozen=True)
class EchoAnswered:
    """The peer has answered an LCP echo request: line and peer are alive."""


@dataclass(frozen=True)
class PluginLoaded:
    """pppd has come that far in its options."""

    name: str


Event = (
    Reached
    | Authenticated
    | Refused
    | Unanswered
    | Addresses
    | Interface
    | Ended
    | MapAgreed
    | EchoAnswered
    | PluginLoaded
)

EVERY_CHARACTER = 0xFFFFFFFF
"""What holds where nobody asked for less."""

_ENDINGS = (
    re.compile(r"Modem hangup"),
    re.compile(r"Hangup \(SIGHUP\)"),
    re.compile(r"LCP: timeout sending Config-Requests"),
    re.compile(r"LCP terminated by peer.*"),
    re.compile(r"No response to \d+ echo-requests"),
    re.compile(r"Serial link appears to be disconnected\.?"),
    re.compile(r"Terminating connection due to lack of activity\.?"),
    re.compile(r"Connect time expired"),
    re.compile(r"Couldn't (?:get channel number|attach to channel|create new ppp unit|open /dev/ppp).*"),
    re.compile(r"Couldn't set tty to PPP discipline.*"),
    re.compile(r"peer refused to authenticate.*", re.IGNORECASE),
    re.compile(r"No network protocols running"),
    re.compile(r"Could not determine local IP address"),
    re.compile(r"Peer .* is not authorized .*|Peer is not authorized .*"),
)
"""What pppd says as it gives a session up. Whatever else it complains of is a warning: a file that it could not write,
a gateway that gives no address of its own ("Could not determine remote IP address: defaulting to 10.64.64.64")."""
_STARTS = {
    ("LCP", "ConfReq"): Phase.LCP,
    ("PAP", "AuthReq"): Phase.PAP,
    ("CHAP", "Challenge"): Phase.CHAP,
    ("IPCP", "ConfReq"): Phase.IPCP,
}
_ORDER = list(Phase)


class PppLog:
    """Follows one pppd. Feed it lines; each comes back as the events that it means, often none."""

    def __init__(self) -> None:
        self._reached: set[Phase] = set()
        self._local: IPv4Address | None = None
        self._accepted = False

    def feed(self, line: str) -> list[Event]:
        """What a line means. Packets and sentences are told apart first, so that nobody's message is taken for one."""
        line = line.strip()
        packet = packet_in(line)
        if packet is not None:
            return self._packet(packet)
        for pattern, meaning in _SENTENCES:
            if found := pattern.fullmatch(line):
                return meaning(self, found)
        return [Ended(line)] if any(pattern.fullmatch(line) for pattern in _ENDINGS) else []

    def _packet(self, packet: LoggedPacket) -> list[Event]:
        kind = packet.protocol, packet.code
        if kind in _STARTS:
            return self._reach(_STARTS[kind])
        if kind == ("LCP", "ConfAck"):
            characters = packet.option("asyncmap")
            return [MapAgreed(int(characters, 16) if characters else EVERY_CHARACTER, packet.sent)]
        if kind == ("LCP", "EchoRep"):
            return [] if packet.sent else [EchoAnswered()]
        if kind in (("PAP", "AuthNak"), ("CHAP", "Failure")):
            return [Refused(packet.message)]
        return self._accept("PAP") if kind == ("PAP", "AuthAck") else []

    def _accept(self, protocol: str) -> list[Event]:
        """pppd says it twice: as the packet, and in a sentence."""
        if self._accepted:
            return []
        self._accepted = True
        return [Authenticated(protocol)]

    def _reach(self, phase: Phase) -> list[Event]:
        if phase in self._reached or any(_ORDER.index(phase) < _ORDER.index(seen) for seen in self._reached):
            return []
        self._reached.add(phase)
        return [Reached(phase)]

    def _local_address(self, found: re.Match[str]) -> list[Event]:
        self._local = IPv4Address(found[1])
        return []

    def _remote_address(self, found: re.Match[str]) -> list[Event]:
        return [*self._reach(Phase.UP), Addresses(self._local, IPv4Address(found[1]))] if self._local else []


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[PppLog, re.Match[str]], list[Event]]], ...] = (
    (re.compile(r"(PAP|CHAP) (?:peer )?authentication succeeded.*"), lambda log, found: log._accept(found[1])),
    (re.compile(r"(?:PAP|CHAP) authentication failed.*"), lambda log, found: [Refused(found[0])]),
    (re.compile(r"No response to PAP authenticate-requests"), lambda log, found: [Unanswered("PAP")]),
    (re.compile(r"Plugin (\S+) loaded.*"), lambda log, found: [PluginLoaded(found[1])]),
    (re.compile(r"Using interface (\S+).*"), lambda log, found: [Interface(found[1])]),
    (re.compile(r"local  IP address (\S+).*"), PppLog._local_address),
    (re.compile(r"remote IP address (\S+).*"), PppLog._remote_address),
)
