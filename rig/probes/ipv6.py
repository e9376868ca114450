"""The same over IPv6: a fence is a list of IPv4 addresses, and whoever has thought of those alone has a second way in
and out. Nothing of it may pass, whatever it is, and however an address of the list is written in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from rig.config.destinations import DNS, HTTPS, IKE, NAT_T
from rig.probes import packets, packets6
from rig.probes.making import ProbeMaker
from rig.probes.packets import ACK, FIN, PUSH, SYN, URG
from rig.probes.packets6 import FRAGMENT, HOP_BY_HOP, ICMPV6, OPTIONS, ROUTING
from rig.probes.probe import Expected, Probe, Side

CALLER, SERVER = IPv6Address("2001:db8::1"), IPv6Address("2001:db8:1::1")
"""One who might have called, and somebody whom no list has (RFC 3849)."""
OUTWARD, INWARD = "IPv6", "IPv6, inward"
NAT64, MAPPED, SIX_TO_FOUR = IPv6Address("64:ff9b::"), IPv6Address("::ffff:0:0"), IPv6Address("2002::")
"""How an IPv4 address is written in IPv6: RFC 6052, RFC 4291 §2.5.5.2, RFC 3056."""
SPECIAL = ("fe80::2", "ff02::1", "ff02::2", "ff05::2", "fd00::1", "::1")
FALSE_SOURCES = (SERVER, IPv6Address("::1"), IPv6Address("fd00::1"), IPv6Address("2001:db8::2"), IPv6Address("ff02::1"))
FLAGS = {"ACK": ACK, "SYN ACK": SYN | ACK, "FIN": FIN, "NULL": 0, "Xmas": FIN | PUSH | URG}
EXTENSIONS = {"hop-by-hop options": HOP_BY_HOP, "destination options": OPTIONS, "a routing header": ROUTING,
              "a fragment header": FRAGMENT}  # fmt: skip
MESSAGES = {"echo": packets6.ECHO, "unreachable": packets6.UNREACHABLE, "redirect": packets6.REDIRECT,
            "router advertisement": packets6.ROUTER_ADVERTISEMENT,
            "neighbour solicitation": packets6.NEIGHBOUR_SOLICITATION}  # fmt: skip
KNOWN = {packets.TCP, packets.UDP, ICMPV6, *EXTENSIONS.values()}
USUAL = (packets.IPIP, packets.IPV6, packets.GRE, packets.ESP, 51, packets6.NOTHING, 89, 99, 115, 132, 253)
"""Of the others those that one meets; more are drawn, and the proof has them all."""
UNUSUAL = [number for number in range(256) if number not in {*KNOWN, *USUAL}]
DRAWN = 16


def written_in_ipv6(address: IPv4Address) -> Iterator[IPv6Address]:
    """The ways in which somebody may write an IPv4 address."""
    yield NAT64 + int(address)
    yield MAPPED + int(address)
    yield SIX_TO_FOUR + (int(address) << 80) + 1


def sent_by_the_caller_in_ipv6(make: ProbeMaker) -> Iterator[Probe]:
    """What a caller sends, to somebody and to those of the list."""
    for what, made, number in _all_kinds(make, CALLER, SERVER):
        yield _probe(number, OUTWARD, f"{what} to [{SERVER}]", Side.CALLER, made)
    others = [*(written for host in make.hosts for written in written_in_ipv6(host)), *map(IPv6Address, SPECIAL)]
    for target in others:
        for what, made, number in _few_kinds(make, CALLER, target):
            yield _probe(number, OUTWARD, f"{what} to [{target}]", Side.CALLER, made)
    for source in (*FALSE_SOURCES, *written_in_ipv6(make.ground.caller)):
        number = make.number()
        made = packets6.tcp6(source, SERVER, HTTPS, number)
        yield _probe(number, OUTWARD, f"TCP from [{source}] to [{SERVER}]:{HTTPS}", Side.CALLER, made)


def sent_to_the_caller_in_ipv6(make: ProbeMaker) -> Iterator[Probe]:
    """What others send to him."""
    for what, made, number in _all_kinds(make, SERVER, CALLER):
        yield _probe(number, INWARD, f"{what} from [{SERVER}]", Side.FAR, made)
    for source, target in itertools.product((SERVER, NAT64 + int(make.hosts[0])), written_in_ipv6(make.ground.caller)):
        for what, made, number in _few_kinds(make, source, target):
            yield _probe(number, INWARD, f"{what} from [{source}] to [{target}]", Side.FAR, made)


def _probe(number: int, category: str, what: str, side: Side, made: bytes) -> Probe:
    return Probe(number, category, what, side, Expected.DENIED, (made,), version=6)


Made = tuple[str, bytes, int]


def _few_kinds(make: ProbeMaker, source: IPv6Address, target: IPv6Address) -> Iterator[Made]:
    for name, pack, port in (("TCP", packets6.tcp6, HTTPS), ("UDP", packets6.udp6, DNS)):
        number = make.number()
        yield f"{name} {port}", pack(source, target, port, number), number
    number = make.number()
    yield "ICMPv6 echo", packets6.icmp6(source, target, packets6.ECHO, number), number


def _all_kinds(make: ProbeMaker, source: IPv6Address, target: IPv6Address) -> Iterator[Made]:
    for port in (22, DNS, 80, HTTPS, packets.NOBODYS_PORT):
        number = make.number()
        yield f"TCP {port}", packets6.tcp6(source, target, port, number), number
    for port in (DNS, HTTPS, IKE.port, NAT_T.port, packets.NOBODYS_PORT):
        number = make.number()
        yield f"UDP {port}", packets6.udp6(source, target, port, number), number
    for name, flags in FLAGS.items():
        number = make.number()
        made = packets6.tcp6(source, target, packets.NOBODYS_PORT, number, flags=flags, source_port=HTTPS)
        yield f"{name} from port {HTTPS}", made, number
    number = make.number()
    made = packets6.udp6(source, target, packets.NOBODYS_PORT, number, source_port=DNS)
    yield f"UDP from port {DNS}", made, number
    quoted = packets6.tcp6(target, source, HTTPS, 0)[:60]  # its headers, and nothing by which a probe is known
    for name, kind in MESSAGES.items():
        number = make.number()
        rest = quoted if kind == packets6.UNREACHABLE else bytes(32)
        yield f"ICMPv6 {name}", packets6.icmp6(source, target, kind, number, rest), number
    for name, extension in EXTENSIONS.items():
        number = make.number()
        yield f"TCP {HTTPS} behind {name}", packets6.behind(source, target, extension, HTTPS, number), number
    for following in (*USUAL, *make.random.sample(UNUSUAL, DRAWN)):
        number = make.number()
        yield f"next header {following}", packets6.raw6(source, target, following, number, bytes(12)), number
