"""What the caller sends: what it may, and all around that, what it may not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from rig.config.destinations import DNS, ESP, EVERY_VPN_SERVICE, HTTPS, IKE, NAT_T, Service
from rig.drivers.base.dissection import dpkt
from rig.probes import packets
from rig.probes.ipv6 import sent_by_the_caller_in_ipv6
from rig.probes.making import Ground, ProbeMaker
from rig.probes.probe import Expected, Probe, Side
from rig.probes.without_flow import sent_by_the_caller

MARTIANS = (
    "0.0.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "10.1.2.3", "192.168.1.1",
)  # fmt: skip
"""Sources that no packet may have on a line that leads outside (RFC 6890)."""
SPECIAL_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
FIRST_PACKETS = "first packets"
OTHER_PORTS = (0, 1, 22, 80, 442, 444, 8443, 65535)
NEAR_VPN_PORTS = (53, 123, HTTPS, 499, 501, 1701, 4499, 4501)
GATEWAY_PORTS = (22, 23, 80, 443, 1723)
OPTIONS = {
    "loose source route": lambda address: bytes([131, 7, 4]) + address.packed,
    "strict source route": lambda address: bytes([137, 7, 4]) + address.packed,
    "record route": lambda address: packets.RECORD_ROUTE,
    "time stamp": lambda address: bytes([68, 8, 5, 0]) + bytes(4),
}


def outward(ground: Ground) -> list[Probe]:
    """Every probe that the caller sends, those first that must be dropped from the first moment on."""
    make = ProbeMaker(ground, 1)
    return [
        *_first_packets(make), *_allowed(make), *_masked(make), *_vpn(make), *_vpn_to_others(make),
        *_other_region(make), *_neighbours(make), *_address_space(make), *_ports(make),
        *_protocols(make), *_sources(make), *_fragments(make), *_options(make), *_time_to_live(make),
        *_gateway_itself(make), *_utility_hosts(make), *_foreign_names(make), *_other_caller(make),
        *sent_by_the_caller_in_ipv6(make), *sent_by_the_caller(make),
    ]  # fmt: skip


def _first_packets(make: ProbeMaker) -> Iterator[Probe]:
    """What must be dropped from the very first: a gateway that filters only later lets these through."""
    category, server = FIRST_PACKETS, make.hosts[0]
    for address in make.unauthorized(make.drawn("0.0.0.0/0"), 4):
        yield make.syn(category, address, 80 if make.ground.allowed.anybody else HTTPS)
    yield make.syn(category, server, 80)
    number = make.number()
    source = make.ground.caller + 1
    yield make.outward(category, f"from {source} to {server}", make.good(server, number, source), number)


def _vpn(make: ProbeMaker) -> Iterator[Probe]:
    """UDP 500 and 4500, and ESP, what of it the gateway lets through (§5.2); nothing else, and never TCP."""
    allowed, other = make.ground.allowed, "other port of a VPN server"
    for server, service in itertools.product(allowed.vpn_servers, EVERY_VPN_SERVICE):
        number = make.number()
        expected = Expected.ALLOWED if allowed.lets(server, service) else Expected.DENIED
        made, what = make.service(server, service, number), f"{service} to {server}"
        yield Probe(number, "VPN server", what, Side.CALLER, expected, (made,), answered=False)
    for server in allowed.vpn_servers:
        for port in (IKE.port, NAT_T.port) if allowed.anybody else (HTTPS, IKE.port, NAT_T.port):
            yield make.syn(other, server, port)
        for port in (*NEAR_VPN_PORTS, make.random.randrange(5000, 65535)):
            number = make.number()
            yield make.outward(
                other, f"UDP {server}:{port}", packets.udp(make.ground.caller, server, port, number), number
            )
        for name, protocol in (("AH", 51), ("GRE", packets.GRE)):
            number = make.number()
            made = packets.raw(make.ground.caller, server, protocol, number, bytes(12))
            yield make.outward(other, f"{name} to {server}", made, number)


def _vpn_to_others(make: ProbeMaker) -> Iterator[Probe]:
    """No VPN to anybody who is not of §5.2, close by or far away."""
    allowed = make.ground.allowed
    beside = [server + step for server in allowed.vpn_servers for step in (-1, 1)]
    others = [*beside, *allowed.servers, *make.unauthorized(make.drawn("0.0.0.0/1"), 4)]
    for address, service in itertools.product(dict.fromkeys(others), EVERY_VPN_SERVICE):
        if address not in allowed.vpn_servers:
            number = make.number()
            made = make.service(address, service, number)
            yield make.outward("VPN to somebody else", f"{service} to {address}", made, number)


def _allowed(make: ProbeMaker) -> Iterator[Probe]:
    for server in make.ground.allowed.servers:
        yield make.syn("authorized server", server, HTTPS, allowed=True)
    for server in make.ground.allowed.name_servers:
        number = make.number()
        query = bytes(dpkt.dns.DNS(id=number, qd=[dpkt.dns.DNS.Q(name="probe.invalid", type=dpkt.dns.DNS_A)]))
        made = packets.udp(make.ground.caller, server, DNS, number, query)
        yield make.outward("utility service", f"UDP {server}:{DNS}", made, number, allowed=True)
        yield make.syn("utility service", server, DNS, allowed=True)


def _masked(make: ProbeMaker) -> Iterator[Probe]:
    """Where the caller's address is masked: with which one it comes out."""
    if make.ground.seen_as is None:
        return
    for host in make.hosts:
        number = make.number()
        probe = make.outward("address masked", f"to {host}", make.good(host, number), number, allowed=True)
        answered = host in make.ground.allowed.servers
        yield replace(probe, arrives_from=make.ground.seen_as, answered=answered)


def _other_region(make: ProbeMaker) -> Iterator[Probe]:
    """The paper's lists differ by one server or two: whoever took the wrong one is open to these."""
    for server in () if make.ground.allowed.anybody else make.ground.allowed.elsewhere:
        yield make.syn("server of another region", server, HTTPS)


def _neighbours(make: ProbeMaker) -> Iterator[Probe]:
    if make.ground.allowed.anybody:
        return
    for server in make.hosts:
        around = [server - 1, server + 1]
        for length in (24, 16):
            network = IPv4Network(f"{server}/{length}", strict=False)
            around += make.unauthorized(make.drawn(network), 8)
        for address in dict.fromkeys(around):
            if address not in make.authorized:
                yield make.syn("neighbour of a server", address, HTTPS)


def _address_space(make: ProbeMaker) -> Iterator[Probe]:
    if make.ground.allowed.anybody:
        return
    for address in make.unauthorized(make.drawn("0.0.0.0/0"), make.ground.sample):
        yield make.syn("address space", address, HTTPS)
    for network in SPECIAL_NETWORKS:
        for address in make.unauthorized(make.drawn(network), 4):
            yield make.syn("special addresses", address, HTTPS)
    yield make.syn("special addresses", IPv4Address("255.255.255.255"), HTTPS)


def _ports(make: ProbeMaker) -> Iterator[Probe]:
    for server in make.hosts:
        drawn = make.random.sample(range(1024, 65535), 100)
        for port in (*OTHER_PORTS, *(port for port in drawn if port != HTTPS)):
            yield make.syn("other port of a server", server, port)


def _protocols(make: ProbeMaker) -> Iterator[Probe]:
    caller, allowed = make.ground.caller, make.ground.allowed
    for server in make.hosts:
        for port in (HTTPS, DNS, 500, 4500, 1701, make.random.randrange(1024, 65535)):
            if allowed.lets(server, Service("udp", port)):
                continue
            number = make.number()
            yield make.outward(
                "UDP to a server", f"UDP {server}:{port}", packets.udp(caller, server, port, number), number
            )
        complained = packets.tcp(server, caller, HTTPS, 0)[:28]
        for name, kind, code in (
            ("echo", 8, 0), ("time stamp", 13, 0), ("unreachable", 3, 1), ("fragmentation needed", 3, 4),
            ("redirect", 5, 1), ("time exceeded", 11, 0), ("parameter problem", 12, 0),
        ):  # fmt: skip
            number = make.number()
            made = packets.icmp(caller, server, kind, code, number, b"" if kind in (8, 13) else complained)
            yield make.outward("ICMP to a server", f"ICMP {name} to {server}", made, number)
        for name, protocol, head in (
            ("ESP", packets.ESP, b"\0\0\1\0\0\0\0\1"), ("AH", 51, bytes(12)), ("GRE", packets.GRE, b"\0\0\x08\0"),
            ("IP in IP", packets.IPIP, b""), ("IPv6 in IP", packets.IPV6, b""), ("SCTP", 132, bytes(12)),
            ("protocol 255", 255, b""),
        ):  # fmt: skip
            if protocol == packets.ESP and allowed.lets(server, ESP):
                continue
            number = make.number()
            made = packets.raw(caller, server, protocol, number, head)
            yield make.outward("other protocol", f"{name} to {server}", made, number)


def _sources(make: ProbeMaker) -> Iterator[Probe]:
    ground = make.ground
    others = make.unauthorized(make.drawn(ground.pool), min(8, ground.pool.num_addresses - 2))
    false = [ground.caller + 1, ground.caller - 1, *others, ground.gateway, *make.hosts]
    false += [*ground.allowed.name_servers, *map(IPv4Address, MARTIANS)]
    for server, source in itertools.product(make.hosts, dict.fromkeys(false)):
        if source not in (ground.caller, server):
            number = make.number()
            made = make.good(server, number, source)
            yield make.outward("spoofed source", f"from {source} to {server}", made, number)


def _fragments(make: ProbeMaker) -> Iterator[Probe]:
    """In pieces as whole: what may pass passes to 443, what may not does not, and pieces that disagree go nowhere."""
    for server, port in itertools.product(make.hosts, (80, HTTPS)):
        allowed = port == HTTPS and server in make.ground.allowed.servers
        category = "fragments of what is allowed" if allowed else "fragments"
        for name, sizes, order in (
            ("tiny first", (8,), 1), ("three pieces", (16, 8), 1), ("out of order", (16, 8), -1),
        ):  # fmt: skip
            number = make.number()
            made = packets.fragments(make.ground.caller, server, port, number, sizes, number)[::order]
            yield make.outward(category, f"{name}, TCP {server}:{port}", made, number, allowed=allowed)
    for server in make.hosts:
        number = make.number()
        known_by = packets.never_whole(number)
        made = packets.fragments(make.ground.caller, server, 80, number, (24,), known_by)
        overlap = packets.ip(make.ground.caller, server, packets.TCP, b"\0P" * 12, known_by, offset=8, more=True)
        yield make.outward("fragments", f"overlapping, TCP {server}:80", [made[0], overlap, *made[1:]], number)


def _options(make: ProbeMaker) -> Iterator[Probe]:
    for server, (name, option) in itertools.product(make.hosts, OPTIONS.items()):
        number = make.number()
        made = make.good(server, number, options=option(server))
        yield make.outward("IP options", f"{name} to {server}", made, number)


def _time_to_live(make: ProbeMaker) -> Iterator[Probe]:
    for server in make.hosts:
        number = make.number()
        yield make.outward("time to live of 1", f"to {server}", make.good(server, number, ttl=1), number)


def _gateway_itself(make: ProbeMaker) -> Iterator[Probe]:
    gateway = make.ground.gateway
    for port in GATEWAY_PORTS:
        yield make.syn("the gateway itself", gateway, port)
    for port in (DNS, 161):
        number = make.number()
        made = packets.udp(make.ground.caller, gateway, port, number)
        yield make.outward("the gateway itself", f"UDP {gateway}:{port}", made, number)
    number = make.number()
    made = packets.icmp(make.ground.caller, gateway, 8, 0, number)
    yield make.outward("the gateway itself", f"ICMP echo to {gateway}", made, number)


def _utility_hosts(make: ProbeMaker) -> Iterator[Probe]:
    for server in make.ground.allowed.name_servers:
        for port in (22, 80, HTTPS, 5353):
            yield make.syn("other port of a utility service", server, port)
        number = make.number()
        made = packets.icmp(make.ground.caller, server, 8, 0, number)
        yield make.outward("other port of a utility service", f"ICMP echo to {server}", made, number)


def _foreign_names(make: ProbeMaker) -> Iterator[Probe]:
    for address in (*make.hosts, *make.unauthorized(make.drawn("0.0.0.0/1"), 8)):
        number = make.number()
        made = packets.udp(make.ground.caller, address, DNS, number)
        yield make.outward("name service of others", f"UDP {address}:{DNS}", made, number)
        yield make.syn("name service of others", address, DNS)


def _other_caller(make: ProbeMaker) -> Iterator[Probe]:
    """Between callers nothing, whatever the source says."""
    caller, other, category = make.ground.caller, make.ground.other, "caller to caller"
    if other is None:
        return
    for port in (22, 80, HTTPS, packets.NOBODYS_PORT):
        yield make.syn(category, other, port)
    for source in (caller, make.hosts[0], make.ground.gateway):
        for name in ("UDP", "ICMP echo", "ESP", "IP in IP"):
            number = make.number()
            packet = packets.KINDS[name](source, other, number)
            yield make.outward(category, f"{name} from {source} to {other}", packet, number)
