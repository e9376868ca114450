"""The matches of iptables, each option a function: what it says about a header."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import NoReturn

from rig.proof.header import FLAGS, ICMP, ICMPV6, TCP, WITH_PORTS, Field, State
from rig.proof.rules import AnyOf, Masked, Match, Sometimes, Through, Within, of_protocol, with_port

ADVICE = "what rules can be proven: docs/fences.md; a match that is not there is refused, not skipped"
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "ipv4": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6": 41,
    "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "ospf": 89, "ipip": 94, "pim": 103,
    "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136,
}  # fmt: skip
"""As protocols(5) has them; those of this machine's own file besides."""
ICMP_TYPES = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "address-mask-request": 17, "address-mask-reply": 18,
}  # fmt: skip
ICMPV6_TYPES = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "router-solicitation": 133, "router-advertisement": 134, "neighbour-solicitation": 135,
    "neighbour-advertisement": 136, "redirect": 137,
}  # fmt: skip
HEADER_LENGTH = ["0x0", ">>", "0x18", "&", "0xf", "=", "0x6", ":", "0xf"]
"""What --u32 says of a packet with IP options, as numbers and signs (rig.drivers.net.firewall)."""


class Said:
    """The words of one rule, and the matches that they come to. ``refuse`` raises, with a reason; ``version``: of
    IP."""

    def __init__(self, words: tuple[str, ...], refuse: Callable[[str], NoReturn], version: int = 4) -> None:
        self.version = version
        self._words = words
        self._at = 0
        self._matches: list[Match] = []
        self._protocol: int | None = None
        self.refuse = refuse
        self.negated = False

    @property
    def more(self) -> bool:
        return self._at < len(self._words)

    def next(self) -> str:
        if not self.more:
            self.refuse("the rule ends where a word is missing")
        self._at += 1
        return self._words[self._at - 1]

    def taken(self, word: str) -> bool:
        """Whether the next word is this one, which is passed over then."""
        if self.more and self._words[self._at] == word:
            self._at += 1
            return True
        return False

    def rest(self) -> tuple[str, ...]:
        left = self._words[self._at :]
        self._at = len(self._words)
        return left

    def add(self, *found: Match) -> None:
        self._matches += found

    def found(self) -> list[Match]:
        return self._matches

    @property
    def protocol(self) -> int:
        """The protocol that the rule has named, whose ports are meant."""
        if self._protocol not in WITH_PORTS:
            self.refuse("a port is asked for, and no protocol that has them is named before")
        return self._protocol

    def names_protocol(self, number: int) -> None:
        self._protocol = number


def _prefix(field: Field) -> Callable[[Said], None]:
    def address(said: Said) -> None:
        word = said.next()
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            said.refuse(f"{word} is no address or prefix")
        if network.version != said.version:
            said.refuse(f"{word} is no address of IPv{said.version}, whose rules these are")
        said.add(Within(field, ((int(network[0]), int(network[-1])),), said.negated))

    return address


def _protocol(said: Said) -> None:
    word = said.next()
    number = protocol_number(word)
    if number is None:
        if word not in ("all", "0"):
            said.refuse(f"{word} is no protocol that is known")
        return
    said.add(Within(Field.PROTOCOL, ((number, number),), said.negated))
    if not said.negated:
        said.names_protocol(number)


def protocol_number(word: str) -> int | None:
    """A protocol's number, by its number or its name; None for all of them, or a name that nobody knows."""
    if word.isdigit():
        return int(word) if 0 < int(word) < 256 else None
    if word.lower() in PROTOCOLS:
        return PROTOCOLS[word.lower()]
    try:
        return socket.getprotobyname(word)
    except OSError:
        return None


def _interface(field: Field) -> Callable[[Said], None]:
    return lambda said: said.add(Through(field, said.next(), said.negated))


def _port(field: Field) -> Callable[[Said], None]:
    return lambda said: said.add(*with_port(field, said.protocol, (_ports(said, said.next()),), negated=said.negated))


def _multiport(*fields: Field) -> Callable[[Said], None]:
    def listed(said: Said) -> None:
        ranges = tuple(_ports(said, word) for word in said.next().split(","))
        said.add(*of_protocol(said.protocol), AnyOf(tuple((Within(field, ranges),) for field in fields), said.negated))

    return listed


def _ports(said: Said, word: str) -> tuple[int, int]:
    low, colon, high = word.partition(":")
    try:
        ends = int(low or 0), int(high or 65535) if colon else int(low)
    except ValueError:
        said.refuse(f"{word} is no port number or range")
    if not 0 <= ends[0] <= ends[1] <= 65535:
        said.refuse(f"{word} is no range of ports")
    return ends


def _addresses(field: Field) -> Callable[[Said], None]:
    def between(said: Said) -> None:
        low, _, high = said.next().partition("-")
        try:
            ends = int(ip_address(low)), int(ip_address(high or low))
        except ValueError as error:
            said.refuse(str(error))
        said.add(Within(field, (ends,), said.negated))

    return between


def _states(said: Said) -> None:
    named = said.next().split(",")
    if unknown := [name for name in named if name not in State.__members__]:
        said.refuse(f"conntrack's state {unknown[0]} is not one of {', '.join(State.__members__)}")
    said.add(Within(Field.STATE, tuple((int(State[name]),) * 2 for name in named), said.negated))


def _message(protocol: int, kinds: Mapping[str, int]) -> Callable[[Said], None]:
    """A type of ICMP, or of ICMPv6, and its code."""

    def asked(said: Said) -> None:
        word = said.next()
        if word == "any":
            return
        name, _, code = word.partition("/")
        kind = kinds.get(name, int(name) if name.isdigit() else None)
        if kind is None or kind > 255 or (code and not code.isdigit()):
            said.refuse(f"{word} is no {'ICMP' if protocol == ICMP else 'ICMPv6'} type that is known")
        ends = ((kind << 8 | int(code),) * 2) if code else (kind << 8, kind << 8 | 255)
        said.add(*of_protocol(protocol), Within(Field.TO_PORT, (ends,), said.negated))

    return asked


def _flags(said: Said) -> None:
    mask, value = (_flag_bits(said, said.next()) for _ in range(2))
    _add_flags(said, mask, value)


def _syn(said: Said) -> None:
    _add_flags(said, FLAGS["SYN"] | FLAGS["RST"] | FLAGS["ACK"] | FLAGS["FIN"], FLAGS["SYN"])


def _add_flags(said: Said, mask: int, value: int) -> None:
    said.add(*of_protocol(TCP), Masked(mask, value, said.negated))


def _flag_bits(said: Said, word: str) -> int:
    if word in ("ALL", "NONE"):
        return sum(FLAGS.values()) if word == "ALL" else 0
    if unknown := [name for name in word.split(",") if name not in FLAGS]:
        said.refuse(f"{unknown[0]} is no TCP flag")
    return sum(FLAGS[name] for name in word.split(","))


def _fragment(said: Said) -> None:
    said.add(Within(Field.FRAGMENT, ((1, 1),), said.negated))


def _u32(said: Said) -> None:
    word = said.next()
    signs = word.replace(">>", " >> ")
    for sign in "&=:":
        signs = signs.replace(sign, f" {sign} ")
    read = [hex(int(part, 0)) if part[0].isdigit() else part for part in signs.split()]
    if read != HEADER_LENGTH:
        said.refuse(f"of --u32 only IP options are known, not {word}")
    said.add(Within(Field.OPTIONS, ((1, 1),), said.negated))


def _ignored(words: int) -> Callable[[Said], None]:
    """Something that says nothing about a packet, or only what another option does."""

    def skip(said: Said) -> None:
        for _ in range(words):
            said.next()

    return skip


def _sometimes(words: int) -> Callable[[Said], None]:
    def rated(said: Said) -> None:
        said.add(Sometimes(" ".join(said.next() for _ in range(words)) or "sometimes"))

    return rated


OPTIONS: dict[str, Callable[[Said], None]] = {
    "-s": _prefix(Field.SOURCE), "-d": _prefix(Field.DESTINATION), "-p": _protocol,
    "-i": _interface(Field.IN), "-o": _interface(Field.OUT), "-f": _fragment, "-m": _ignored(1),
    "--sport": _port(Field.FROM_PORT), "--dport": _port(Field.TO_PORT),
    "--sports": _multiport(Field.FROM_PORT), "--dports": _multiport(Field.TO_PORT),
    "--ports": _multiport(Field.FROM_PORT, Field.TO_PORT),
    "--src-range": _addresses(Field.SOURCE), "--dst-range": _addresses(Field.DESTINATION),
    "--ctstate": _states, "--state": _states, "--icmp-type": _message(ICMP, ICMP_TYPES),
    "--icmpv6-type": _message(ICMPV6, ICMPV6_TYPES),
    "--tcp-flags": _flags, "--syn": _syn,
    "--u32": _u32, "--comment": _ignored(1),
    # What a rate or a memory decides, or what no header has. Each rule has a chance of its own for it.
    "--limit": _sometimes(1), "--limit-burst": _ignored(1), "--quota": _sometimes(1), "--probability": _sometimes(1),
    "--mode": _ignored(1), "--every": _sometimes(1), "--packet": _ignored(1),
    "--hashlimit-upto": _sometimes(1), "--hashlimit-above": _sometimes(1), "--hashlimit-burst": _ignored(1),
    "--hashlimit-mode": _ignored(1), "--hashlimit-name": _ignored(1), "--hashlimit-srcmask": _ignored(1),
    "--hashlimit-htable-expire": _ignored(1),
    "--connlimit-above": _sometimes(1), "--connlimit-upto": _sometimes(1), "--connlimit-mask": _ignored(1),
    "--connlimit-saddr": _ignored(0), "--connlimit-daddr": _ignored(0),
    "--set": _ignored(0), "--rcheck": _sometimes(0), "--update": _sometimes(0), "--remove": _sometimes(0),
    "--seconds": _ignored(1), "--hitcount": _ignored(1), "--name": _ignored(1), "--mask": _ignored(1),
    "--rsource": _ignored(0), "--rdest": _ignored(0), "--rttl": _ignored(0),
    "--helper": _sometimes(1),
    "--mark": _sometimes(1), "--mac-source": _sometimes(1), "--ttl-eq": _sometimes(1), "--ttl-lt": _sometimes(1),
    "--ttl-gt": _sometimes(1), "--length": _sometimes(1), "--timestart": _sometimes(1), "--timestop": _ignored(1),
    "--weekdays": _sometimes(1), "--kerneltz": _ignored(0), "--pkt-type": _sometimes(1),
}  # fmt: skip
