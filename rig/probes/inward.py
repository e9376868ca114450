"""What others send to a caller: it has asked them for nothing, or for something else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address

from rig.config.destinations import ESP, HTTPS, NAT_T
from rig.drivers.base.dissection import dpkt
from rig.probes import packets
from rig.probes.ipv6 import sent_to_the_caller_in_ipv6
from rig.probes.making import Ground, ProbeMaker
from rig.probes.probe import Probe
from rig.probes.without_flow import sent_to_the_caller

FIRST = 20001
FIRST_ABOUT_A_FLOW = 40001


def inward(ground: Ground) -> list[Probe]:
    """Every probe that somebody behind the gateway sends to a caller who has asked for nothing."""
    make = ProbeMaker(ground, FIRST)
    probes = [*_without_a_session(make)]
    for target in dict.fromkeys((ground.seen_as or ground.caller, ground.caller)):  # a masked caller's own, too
        make.target = target
        probes += [
            *_unsolicited(make, "unsolicited, authorized server", make.hosts), *_strangers(make),
            *_remote_service(make), *sent_to_the_caller(make),
        ]  # fmt: skip
    return [*probes, *sent_to_the_caller_in_ipv6(make)]


def about_a_flow(ground: Ground, server: IPv4Address, port: int) -> list[Probe]:
    """What others send to the port on which the caller speaks with a server, and errors that quote that flow."""
    make = ProbeMaker(ground, FIRST_ABOUT_A_FLOW)
    return [*_second_server(make, server, port), *_a_stranger(make, port), *_errors_about(make, server, port)]


def about_the_vpn(ground: Ground) -> list[Probe]:
    """What others send to the ports by which the caller has a VPN, and errors that quote what it sends there."""
    make = ProbeMaker(ground, FIRST_ABOUT_A_FLOW)
    server = ground.allowed.vpn_servers[0]
    strangers = make.unauthorized(make.drawn("0.0.0.0/2"), 3)
    probes = []
    for source, service in itertools.product((*ground.allowed.vpn_servers[1:], *strangers), ground.allowed.vpn):
        if service == ESP and source not in strangers:
            continue  # see _unsolicited
        number = make.number()
        made = packets.raw(source, make.target, packets.ESP, number, bytes(8)) if service == ESP else packets.udp(
            source, make.target, service.port, number, source_port=service.port
        )  # fmt: skip
        category = f"reply from {'a stranger' if source in strangers else 'another server'}"
        probes.append(make.inward(category, f"{service} from {source}", made, number))
    data = packets.udp(make.target, server, NAT_T.port, 0, source_port=NAT_T.port)
    if NAT_T not in ground.allowed.vpn:
        data = packets.raw(make.target, server, packets.ESP, 0, bytes(8))
    return [*probes, *_errors(make, server, data[:28])]


def of_a_flow(ground: Ground, server: IPv4Address, port: int) -> list[Probe]:
    """Segments of a flow that the last caller with this address had."""
    make = ProbeMaker(ground, FIRST_ABOUT_A_FLOW)
    kinds = (("ACK", dpkt.tcp.TH_ACK), ("ACK PSH", dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH))
    return [
        make.tcp_inward("previous caller's flow", f"{name} from {server}", server, port, flags, HTTPS)
        for name, flags in kinds
    ]


def _unsolicited(make: ProbeMaker, category: str, sources: tuple[IPv4Address, ...]) -> Iterator[Probe]:
    caller = make.target
    for source in sources:
        for name, flags, port in (
            ("SYN", dpkt.tcp.TH_SYN, 22), ("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK, packets.NOBODYS_PORT),
            ("ACK", dpkt.tcp.TH_ACK, packets.NOBODYS_PORT), ("RST", dpkt.tcp.TH_RST, packets.NOBODYS_PORT),
        ):  # fmt: skip
            yield make.tcp_inward(category, f"{name} from {source} to port {port}", source, port, flags, HTTPS)
        number = make.number()
        yield make.inward(
            category, f"UDP from {source}", packets.udp(source, caller, packets.NOBODYS_PORT, number), number
        )
        complained = packets.tcp(caller, source, HTTPS, 0)[:28]
        for name, kind, code, rest in (("echo", 8, 0, b""), ("unreachable", 3, 1, complained)):
            number = make.number()
            made = packets.icmp(source, caller, kind, code, number, rest)
            yield make.inward(category, f"ICMP {name} from {source}", made, number)
        if make.ground.allowed.lets(source, ESP):
            continue  # ESP has no ports: from whom it may be asked for, it is an answer
        number = make.number()
        made = packets.raw(source, caller, packets.ESP, number, b"\0\0\1\0\0\0\0\1")
        yield make.inward(category, f"ESP from {source}", made, number)


def _strangers(make: ProbeMaker) -> Iterator[Probe]:
    drawn = make.unauthorized(make.drawn("0.0.0.0/2"), 4)
    yield from _unsolicited(make, "unsolicited, stranger", tuple(drawn))


def _remote_service(make: ProbeMaker) -> Iterator[Probe]:
    """The ports of §5.3 belong to inbound calls, and are no reason to let anything through here."""
    sources = (make.hosts[0], *make.unauthorized(make.drawn("0.0.0.0/2"), 1))
    ends = dict.fromkeys(port for ports in make.ground.allowed.inbound for port in (ports[0], ports[-1]))
    for source, port in itertools.product(sources, ends):
        category, what = "unsolicited, port of remote service", f"from {source} to port {port}"
        yield make.tcp_inward(category, f"TCP {what}", source, port, dpkt.tcp.TH_SYN, packets.NOBODYS_PORT)
        number = make.number()
        made = packets.udp(source, make.target, port, number)
        yield make.inward(category, f"UDP {what}", made, number)


def _without_a_session(make: ProbeMaker) -> Iterator[Probe]:
    """To addresses of the pool that nobody has: no caller must see it."""
    ground, server = make.ground, make.hosts[0]
    free = [address for address in ground.pool.hosts() if address not in (ground.caller, ground.other)]
    for address in sorted(free, key=lambda address: abs(int(address) - int(ground.caller)))[:4]:
        for name in ("TCP", "UDP", "ICMP echo"):
            number = make.number()
            packet = packets.KINDS[name](server, address, number)
            what = f"{name} from {server} to {address}"
            yield make.inward("to an address without a session", what, packet, number)


def _second_server(make: ProbeMaker, spoken_to: IPv4Address, port: int) -> list[Probe]:
    """What the other servers send to the port on which the caller speaks with one of them."""
    kinds = (("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK), ("ACK", dpkt.tcp.TH_ACK), ("RST", dpkt.tcp.TH_RST))
    return [
        make.tcp_inward("reply from another server", f"{name} from {server}", server, port, flags, HTTPS)
        for server in make.ground.allowed.servers
        if server != spoken_to
        for name, flags in kinds
    ]


def _a_stranger(make: ProbeMaker, port: int) -> list[Probe]:
    """What somebody who is no server at all sends to that port, from 443."""
    kinds = (("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK), ("ACK", dpkt.tcp.TH_ACK))
    return [
        make.tcp_inward("reply from a stranger", f"{name} from {stranger}", stranger, port, flags, HTTPS)
        for stranger in make.unauthorized(make.drawn("0.0.0.0/2"), 3)
        for name, flags in kinds
    ]


def _errors_about(make: ProbeMaker, server: IPv4Address, port: int) -> list[Probe]:
    """ICMP errors that quote the flow between the caller's port and a server."""
    # The whole TCP header (RFC 1812 §4.3.2.3): a router that masks addresses mends its checksum in the quotation.
    return _errors(make, server, packets.tcp(make.target, server, HTTPS, 0, source_port=port)[:40])


def _errors(make: ProbeMaker, server: IPv4Address, quoted: bytes) -> list[Probe]:
    """ICMP errors about a packet that the caller has sent."""
    caller, found = make.target, []
    for source, (name, kind, code) in itertools.product(
        (server, make.hosts[-1]), (("unreachable", 3, 1), ("time exceeded", 11, 0))
    ):
        number = make.number()
        made = packets.icmp(source, caller, kind, code, number, quoted)
        found.append(make.inward("ICMP error about a flow", f"ICMP {name} from {source}", made, number))
    return found
