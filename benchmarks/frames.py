"""PPP frames read, by the rig's own peer, by dpkt and by scapy: one capture's worth of each kind of control packet."""

from __future__ import annotations

import time
from collections.abc import Callable

import dpkt.ppp
import scapy.layers.ppp

from benchmarks.figures import Figure, in_time, spread
from rig.drivers.ppp.peer.packet import (
    IPCP,
    LCP,
    PAP,
    Code,
    Kind,
    Option,
    Packet,
    options_in,
    packed,
    packet_in,
    protocol_in,
)

RUNS, FRAMES = 7, 2000
SCAPY_TIMES, DPKT_TIMES = 5.0, 1.0
ASKED = (
    Option(Kind.MRU, b"\x05\xdc"), Option(Kind.ACCM, bytes(4)), Option(Kind.AUTHENTICATION, b"\xc0\x23"),
    Option(Kind.MAGIC, b"abcd"), Option(Kind.PFC), Option(Kind.ACFC),
)  # fmt: skip
WITH_OPTIONS = (LCP, IPCP)


def frames() -> list[bytes]:
    """As a capture has them, without escapes and check sequence: of those no other library knows."""
    kinds = (
        Packet(LCP, Code.CONFIGURE_REQUEST, 1, packed(ASKED)),
        Packet(LCP, Code.CONFIGURE_ACK, 1, packed(ASKED)),
        Packet(PAP, 1, 1, b"\4user\4word"),
        Packet(IPCP, Code.CONFIGURE_NAK, 1, packed((Option(3, bytes(4)), Option(129, bytes(4))))),
        Packet(LCP, Code.ECHO_REQUEST, 1, b"abcd"),
    )
    return [kinds[number % len(kinds)].frame() for number in range(FRAMES)]


def ours(frame: bytes) -> None:
    """All of it: protocol, packet, and each option."""
    protocol, rest, _ = protocol_in(frame)
    packet = packet_in(protocol, rest)
    if protocol in WITH_OPTIONS and packet.code <= Code.CONFIGURE_REJECT:
        options_in(packet.data)


def by_dpkt(frame: bytes) -> None:
    """The protocol alone: it knows no control packets."""
    dpkt.ppp.PPP(frame[2:])


def by_scapy(frame: bytes) -> None:
    """All of it."""
    scapy.layers.ppp.PPP(frame)


def timed(read: Callable[[bytes], None], found: list[bytes]) -> float:
    """Seconds for a frame."""
    began = time.perf_counter()
    for frame in found:
        read(frame)
    return (time.perf_counter() - began) / len(found)


def measure() -> list[Figure]:
    """By turns, on the same frames."""
    found = frames()
    times: dict[Callable[[bytes], None], list[float]] = {ours: [], by_dpkt: [], by_scapy: []}
    for _ in range(RUNS):
        for read, results in times.items():
            results.append(timed(read, found))
    figures = []
    for peer, name, wanted in ((by_dpkt, "dpkt", DPKT_TIMES), (by_scapy, "scapy", SCAPY_TIMES)):
        against = in_time(name, times[ours], times[peer], "µs", 1e6)
        reached = sorted(against.times)[len(against.times) // 2] >= wanted
        figures.append(
            Figure(
                f"a PPP control frame read, beside {name}",
                spread(times[ours], "µs", 1e6),
                "which reads no control packets" if name == "dpkt" else "",
                f"{wanted:g} times as fast",
                reached,
                against,
            )
        )
    return figures
