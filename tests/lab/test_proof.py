"""The proof of a live gateway's rules, and the kernel that has them: each is the other's check."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rig.drivers.net import conntrack, firewall
from rig.fixtures.line import Line
from rig.jobs.proving import LiveProof
from rig.parts.rack import FarEnd
from rig.probes import proving
from rig.probes.proven import Proven
from tests.random_rules import added

if TYPE_CHECKING:
    from rig.fixtures.line import Session

SETS = 25
"""Of random rules; five hundred in tests/soak."""


@pytest.mark.paper("3.1", "5.1")
def test_the_sound_gateway_is_proven_and_the_kernel_counts_as_the_rules_are_read(modem: Line) -> None:
    session = modem.call().start_ppp()
    run, built = session.probes(sample=60), modem.built
    live = LiveProof(built, session.way, run, built.fence(session.way))
    proven = live.proven(run.run().outcomes)
    assert proven.proof.holds
    assert proven.contradictions == []
    looked_up = sum(row.probes for row in proven.coverage)
    assert looked_up > 500
    reached = {row.text: row.packets for row in proven.coverage if row.reached}
    assert any("destination is not authorized" in text for text in reached)


@contextmanager
def with_rules(far_end: FarEnd, session: Session, rules: list[str]) -> Iterator[None]:
    """More rules at the head of the session's own."""
    namespace, fence = far_end.gateway.fence.namespace, session.line.built.fence(session.way)
    assert fence is not None
    texts = [rule.format(interface=fence.side.interface) for rule in rules]
    firewall.apply(namespace, "\n".join(["*filter", *(f"-I {text}" for text in texts), "COMMIT", ""]))
    try:
        yield
    finally:
        firewall.apply(namespace, "\n".join(["*filter", *(f"-D {text}" for text in texts), "COMMIT", ""]))
        conntrack.flush_address(namespace, session.up.local)  # what has passed would be a flow to the next rules


@pytest.mark.paper("3.1")
def test_of_any_rules_the_kernel_does_what_the_proof_says(session: Session, far_end: FarEnd) -> None:
    drawn, found = random.Random(2007), 0
    for _ in range(SETS):
        rules = added(drawn, session.surroundings.allowed, session.up.local)
        with with_rules(far_end, session, rules):
            proven = session.proven()
        assert proven.contradictions == [], rules
        found += len(proven.sent)
    assert found >= SETS


def test_a_rule_that_is_read_wrongly_is_a_contradiction(session: Session, far_end: FarEnd) -> None:
    """The rules say that port 80 is open, the kernel that it is not: they have been taken away again meanwhile."""
    built = session.line.built
    fence, run = built.fence(session.way), session.probes(sample=0)
    assert fence is not None
    server = session.surroundings.allowed.servers[0]
    line = f"-A from-{fence.side.interface} "
    said = fence.rules.replace(line, f"{line}-d {server}/32 -p tcp -m tcp --dport 80 -j ACCEPT\n[0:0] {line}", 1)
    altered = replace(fence, rules=said)
    proof = proving.proof_of(proving.read(altered), altered, run.ground.allowed, built.pool)
    confirmed = run.confirmed(proof.found, fence.side.interface)
    assert [one.agrees for one in confirmed] == [False]
    assert "the kernel does otherwise" in Proven(proof, tuple(confirmed), ()).contradictions[0]
