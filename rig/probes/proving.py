"""A proof and a live gateway, each the other's check: what the proof finds is sent, and what was sent is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address

from rig.config.destinations import Destinations
from rig.parts.fence_rules import SavedFence
from rig.probes import packets, packets6
from rig.probes.probe import Expected, Outcome, Probe, Side
from rig.proof import iptables_file
from rig.proof.coverage import Row, rows
from rig.proof.deciding import decide
from rig.proof.declared import Around
from rig.proof.found import CounterExample, Proof
from rig.proof.header import ICMP, ICMPV6, ITSELF, TCP, UDP, Header
from rig.proof.proof import prove
from rig.proof.reading import header_of
from rig.proof.rules import Rule, RuleSet
from rig.proof.space import ANOTHER
from rig.proof.tracking import can_be_sent

SOURCE = "the gateway's rules"
LATER = 1480
"""Where a later piece begins, in bytes: behind a first one that fills an Ethernet packet."""


def read(fence: SavedFence) -> RuleSet:
    """Raises RulesError for a rule that is not understood."""
    return iptables_file.read(fence.rules, SOURCE)


def read_ipv6(fence: SavedFence) -> RuleSet:
    """Those of IPv6. Raises as :func:`read`."""
    return iptables_file.read(fence.ipv6, f"{SOURCE} of IPv6", 6)


def proof_of(rules: RuleSet, fence: SavedFence, allowed: Destinations, pool: IPv4Network | None) -> Proof:
    """The rules around all who are there, held to what each may do. Raises RulesError."""
    sides = sorted(fence.sides, key=lambda side: side != fence.side)  # of the one who sends, the examples are
    callers = tuple(sides)
    return prove(rules, Around(allowed, callers, fence.pattern, pool, fence.own))


def coverage_of(before: RuleSet, after: RuleSet, fence: SavedFence, outcomes: Sequence[Outcome]) -> list[Row]:
    """What each rule has counted between two moments, and how many of the caller's probes it should have decided.

    A probe that is in pieces which never made a whole, or whose time to live ended, came to no rule; nor did one that
    was for another caller, or no IPv4. None of these is looked up.
    """
    decided: dict[Rule, int] = {}
    for outcome in outcomes:
        probe = outcome.probe
        if probe.side is Side.CALLER and probe.version == 4 and _comes_to_a_rule(probe):
            rule = decide(after, header_of(probe.packets[0], fence.side.interface, ANOTHER)).rule
            if rule is not None:
                decided[rule] = decided.get(rule, 0) + 1
    return rows(before, after, decided)


def _comes_to_a_rule(probe: Probe) -> bool:
    return len(probe.packets) == 1 and probe.packets[0][8] > 1 and probe.category in LOOKED_UP


LOOKED_UP = (
    "neighbour of a server",
    "address space",
    "other port of a server",
    "UDP to a server",
    "server of another region",
)
"""Categories whose packets are routed through the gateway whatever its tables: to hosts beyond it, from the caller's
own address."""


def probe_of(example: CounterExample, caller: str, number: int) -> Probe | str:
    """A counter-example as a probe; or why there is none. ``caller``: the gateway's interface towards who sends."""
    header = example.header
    if not can_be_sent(header):
        return f"conntrack takes it for {header.state.name} only as part of a flow"
    if caller not in (header.coming, header.going) or ITSELF in (header.coming, header.going):
        return "nobody stands there"
    if ANOTHER not in (header.coming, header.going):
        return "it goes from one caller's interface to one's"
    if header.source.version == 6 and header.going == caller:
        return "to the caller the gateway has no route of IPv6"
    side = Side.CALLER if header.coming == caller else Side.FAR
    expected = Expected.DENIED if example.leaks else Expected.ALLOWED
    made = _packet(header, number)
    version = header.source.version
    return Probe(number, "counter-example", str(header), side, expected, (made,), version, answered=False)


def _packet(header: Header, number: int) -> bytes:
    source, to, options = header.source, header.destination, packets.RECORD_ROUTE if header.options else b""
    if isinstance(source, IPv6Address) or isinstance(to, IPv6Address):
        assert isinstance(source, IPv6Address)
        assert isinstance(to, IPv6Address)
        return _packet_of_ipv6(header, source, to, number)
    if header.fragment:
        known_by = packets.never_whole(number)
        return packets.ip(source, to, header.protocol, packets.mark(number), known_by, options=options, offset=LATER)
    if header.protocol == TCP:
        return packets.tcp(
            source, to, header.to_port, number, flags=header.flags, source_port=header.from_port, options=options
        )
    if header.protocol == UDP:
        return packets.udp(source, to, header.to_port, number, source_port=header.from_port, options=options)
    if header.protocol == ICMP:
        return packets.icmp(source, to, header.to_port >> 8, header.to_port & 255, number)
    ports = header.from_port.to_bytes(2, "big") + header.to_port.to_bytes(2, "big")
    return packets.ip(source, to, header.protocol, ports + packets.mark(number), number, options=options)


def _packet_of_ipv6(header: Header, source: IPv6Address, to: IPv6Address, number: int) -> bytes:
    if header.protocol == TCP:
        return packets6.tcp6(source, to, header.to_port, number, flags=header.flags, source_port=header.from_port)
    if header.protocol == UDP:
        return packets6.udp6(source, to, header.to_port, number, header.from_port)
    if header.protocol == ICMPV6:
        return packets6.icmp6(source, to, header.to_port >> 8, number, code=header.to_port & 255)
    ports = header.from_port.to_bytes(2, "big") + header.to_port.to_bytes(2, "big")
    return packets6.raw6(source, to, header.protocol, number, ports)
