"""A gateway full of half-open flows fails closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig import lab
from rig.probes.probe import ProbeError
from rig.probes.run import FLOODED

if TYPE_CHECKING:
    from rig.fixtures.line import Gateway, Line, Session
    from rig.probes.run import FenceRun

LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")
SMALL = 1500


@pytest.fixture
def small_table() -> Iterator[None]:
    """Room for few flows. The limit is the whole kernel's: no machine's own is touched, only a lab's."""
    if lab.current() == "native":
        pytest.skip("the limit of conntrack is this machine's own; run in a lab: rig lab run --lab uml -- pytest")
    before = LIMIT.read_text()
    LIMIT.write_text(str(SMALL))
    yield
    LIMIT.write_text(before)


def flooded(session: Session, flows: int) -> list[str]:
    """The probes that passed while the gateway was full."""
    run: FenceRun = session.probes(sample=20)
    assert session.line.far_end is not None
    outcomes, filled = run.flooded(flows, session.line.far_end.gateway.fence.room)
    assert filled.limit == SMALL
    assert {outcome.probe.category for outcome in outcomes} == {FLOODED}
    return [outcome.probe.what for outcome in outcomes if not outcome.held]


def test_a_gateway_that_is_full_fails_closed(small_table: None, session: Session) -> None:
    assert flooded(session, SMALL * 2) == []


def test_a_full_gateway_that_is_open_is_found(small_table: None, modem: Line, gateway: Gateway) -> None:
    gateway.set_mutant("everything-out")
    assert flooded(modem.call().start_ppp(), SMALL * 2) != []


def test_a_flood_that_does_not_fill_the_gateway_shows_nothing(small_table: None, session: Session) -> None:
    with pytest.raises(ProbeError, match="has room for 1500"):
        flooded(session, 100)
