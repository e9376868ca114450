"""What the gateway's side sends to the near end itself: its own firewall must stand too (the note of §2.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from rig.config.bench import AllowTable
from rig.config.bench_files import port_range
from rig.config.destinations import ESP, HTTPS
from rig.drivers.base.dissection import dpkt
from rig.probes import packets
from rig.probes.ipv6 import SERVER
from rig.probes.making import Ground, ProbeMaker
from rig.probes.packets6 import udp6
from rig.probes.probe import Expected, Probe, Side

FIRST = 30001
ALL_NODES = IPv6Address("ff02::1")
UNSOLICITED, LET_IN = "near end, unsolicited", "near end, let in by its customer"


def own_firewall(ground: Ground) -> list[Probe]:
    """Every probe of the near end's firewall: what its customer lets in is to arrive, and nothing else."""
    make = ProbeMaker(ground, FIRST)
    sources = (ground.gateway, ground.allowed.hosts[0], *make.unauthorized(make.drawn("0.0.0.0/2"), 1))
    return [*_let_in(make), *_to_ports(make, sources), *_other_packets(make, sources)]


def _lets_in(allow: tuple[AllowTable, ...], protocol: str, source: IPv4Address, port: int = 0) -> bool:
    return any(
        entry.protocol == protocol and source in entry.source and (not entry.ports or port in port_range(entry.ports))
        for entry in allow
    )


def _let_in(make: ProbeMaker) -> Iterator[Probe]:
    caller = make.ground.caller
    for entry in make.ground.allow:
        source = next(make.drawn(entry.source if entry.source.prefixlen else "129.42.0.0/16"))
        if entry.protocol == "icmp":
            number = make.number()
            probe = make.inward(LET_IN, f"ICMP echo from {source}", packets.icmp(source, caller, 8, 0, number), number)
            yield replace(probe, expected=Expected.ALLOWED)
            continue
        ports = port_range(entry.ports)
        for port in dict.fromkeys((ports[0], ports[-1])):
            yield replace(_to_port(make, LET_IN, entry.protocol, source, port), expected=Expected.ALLOWED)


def _to_port(make: ProbeMaker, category: str, protocol: str, source: IPv4Address, port: int) -> Probe:
    number = make.number()
    caller = make.ground.caller
    tcp = protocol == "tcp"
    packet = packets.tcp(source, caller, port, number) if tcp else packets.udp(source, caller, port, number)
    return make.inward(category, f"{protocol.upper()} from {source} to port {port}", packet, number)


def _to_ports(make: ProbeMaker, sources: tuple[IPv4Address, ...]) -> Iterator[Probe]:
    remote_service = {port for ports in make.ground.allowed.inbound for port in (ports[0], ports[-1])}
    ports = sorted({*remote_service, HTTPS, 113, packets.NOBODYS_PORT, *make.random.sample(range(1024, 65535), 8)})
    for source in sources:
        for port in ports:
            for protocol in ("tcp", "udp"):
                if not _lets_in(make.ground.allow, protocol, source, port):
                    yield _to_port(make, UNSOLICITED, protocol, source, port)


def _other_packets(make: ProbeMaker, sources: tuple[IPv4Address, ...]) -> Iterator[Probe]:
    caller = make.ground.caller
    for source in sources:
        for name, flags in (("ACK", dpkt.tcp.TH_ACK), ("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)):
            yield make.tcp_inward(
                UNSOLICITED,
                f"{name} from {source} to port {packets.NOBODYS_PORT}",
                source,
                packets.NOBODYS_PORT,
                flags,
                HTTPS,
            )
        for name in ("ICMP echo", "ICMP unreachable", "ESP", "GRE"):
            let_in = name.startswith("ICMP") and _lets_in(make.ground.allow, "icmp", source)
            answer = name == "ESP" and make.ground.allowed.lets(source, ESP)  # see inward.py
            if not (let_in or answer):
                number = make.number()
                yield make.inward(
                    UNSOLICITED, f"{name} from {source}", packets.KINDS[name](source, caller, number), number
                )
    number = make.number()
    made = udp6(SERVER, ALL_NODES, packets.NOBODYS_PORT, number)
    yield Probe(number, UNSOLICITED, "IPv6 to all nodes", Side.FAR, Expected.DENIED, (made,), version=6)
