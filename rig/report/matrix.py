"""A fence's probes as a picture: a square for each, by category. What leaked is red, large and crossed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rig.drivers.base.dissection import dpkt
from rig.probes.probe import Outcome
from rig.probes.report import Report

SHOWN_FINDINGS = 100


@dataclass(frozen=True)
class Row:
    """A category. ``cells``: verdict and what the probe tries, in the order in which they were sent."""

    category: str
    cells: tuple[tuple[str, str], ...]
    findings: int


@dataclass(frozen=True)
class Finding:
    """A probe with which the fence did not do as declared; packets in words and in hexadecimal."""

    verdict: str
    category: str
    what: str
    packets: tuple[tuple[str, str, str], ...]


def rows(report: Report) -> list[Row]:
    """Categories with findings first."""
    found: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        found.setdefault(outcome.probe.category, []).append(outcome)
    made = [
        Row(
            category,
            tuple((outcome.verdict, outcome.probe.what) for outcome in outcomes),
            sum(not outcome.held for outcome in outcomes),
        )
        for category, outcomes in found.items()
    ]
    return sorted(made, key=lambda row: -row.findings)


def findings(report: Report) -> Iterator[Finding]:
    """The first SHOWN_FINDINGS of them."""
    for outcome in report.findings[:SHOWN_FINDINGS]:
        packets = [("sent", packet) for packet in outcome.probe.packets]
        if outcome.arrived:
            packets.append(("arrived", outcome.arrived))
        yield Finding(
            outcome.verdict,
            outcome.probe.category,
            outcome.probe.what,
            tuple((way, in_words(packet), packet.hex(" ", 2)) for way, packet in packets),
        )


def in_words(packet: bytes) -> str:
    """An IP packet as one line."""
    try:
        if packet[:1] and packet[0] >> 4 == 6:
            return "IPv6 " + "  ".join(f"{packet[start : start + 16].hex(':', 2)}" for start in (8, 24))
        ip = dpkt.ip.IP(packet)
    except (dpkt.dpkt.Error, IndexError, ValueError):
        return f"{len(packet)} bytes that are no IP packet"
    source, destination = (".".join(map(str, address)) for address in (ip.src, ip.dst))
    name = {1: "ICMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP"}.get(ip.p, f"IP protocol {ip.p}")
    if isinstance(ip.data, dpkt.tcp.TCP | dpkt.udp.UDP):
        source, destination = f"{source}:{ip.data.sport}", f"{destination}:{ip.data.dport}"
    part = f", fragment at {ip.offset}" if ip.offset else ""
    return f"{name} {source} → {destination}, {len(packet)} bytes, TTL {ip.ttl}{part}"
