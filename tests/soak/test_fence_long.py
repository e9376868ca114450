"""The sound gateway, probed again and again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from rig.parts.rack import FarEnd
from tests.lab.test_proof import with_rules
from tests.lab.test_while_changing import resizes, watched
from tests.random_rules import added

if TYPE_CHECKING:
    from rig.fixtures.line import Gateway, Session


@pytest.mark.timeout(900)  # 1 s a run on a quiet machine
def test_the_sound_gateway_is_clean_a_hundred_times_out_of_a_hundred(session: Session) -> None:
    """Each time other addresses, ports and sources are drawn."""
    findings = [(seed, session.probes(seed=seed).run().findings) for seed in range(100)]
    assert [found for found in findings if found[1]] == []


@pytest.mark.timeout(1800)
def test_of_five_hundred_random_rule_sets_the_kernel_does_what_the_proof_says(
    session: Session, far_end: FarEnd
) -> None:
    drawn, found = random.Random(1), 0
    for _ in range(500):
        rules = added(drawn, session.surroundings.allowed, session.up.local)
        with with_rules(far_end, session, rules):
            proven = session.proven()
        assert proven.contradictions == [], rules
        found += len(proven.sent)
    print(f"500 rule sets, {found} counter-examples sent, each as the kernel does it")


@pytest.mark.timeout(900)
def test_nothing_comes_through_in_a_thousand_changes(session: Session, gateway: Gateway, far_end: FarEnd) -> None:
    """In under five minutes."""
    changes = [*resizes(40), *([("the rules are loaded", gateway.load_rules)] * 960)]
    random.Random(1).shuffle(changes)
    found = watched(session, iter(changes))
    print(f"{found.changes} changes, {found.sent} probes meanwhile, {found.seconds:.0f} s, {len(found.leaks)} leaks")
    assert (found.leaks, found.changes) == ([], 1000)
    assert found.seconds < 300
