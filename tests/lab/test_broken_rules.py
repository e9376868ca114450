"""The test of the representative's checks: rules of an inbound call that are broken are found by the check that names
what is. They are changed while the call is up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.fixtures.inbound import InboundCall, armed, connected
from rig.jobs.answer import as_before
from tests.lab.broken_rules import BROKEN_RULES, BrokenRules

if TYPE_CHECKING:
    from rig.jobs.answer import InboundBench


@pytest.fixture(scope="module")
def call(inbound_bench: InboundBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InboundCall]:
    before = inbound_bench.end.surroundings()
    with armed(inbound_bench, tmp_path_factory.mktemp("arming") / "one.json", 600.0) as one:
        with connected(one) as call:
            yield call
        one.wait()
    assert as_before(inbound_bench.end, before).held


@pytest.mark.paper("2.2.1")
@pytest.mark.parametrize("broken", BROKEN_RULES, ids=lambda broken: broken.name)
def test_broken_rules_are_found(call: InboundCall, broken: BrokenRules) -> None:
    end = call.armed.end
    with broken.in_force(end.namespace, end.permitted()):
        assert call.finds(broken.found_by)


@pytest.mark.paper("2.2.1")
def test_the_call_is_sound_when_they_are_mended(call: InboundCall) -> None:
    assert [result.line() for result in call.verify(range(1, 200)) if result.held is False] == []
