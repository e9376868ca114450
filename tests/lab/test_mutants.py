"""The test of the fence's probes: each broken gateway is found by its category, and the sound one is clean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.line import Gateway, Line
from rig.bench import load
from rig.far_end import FarEnd
from rig.owner import Owner
from rig.partners.mutants import MUTANTS, Mutant
from rig.probes.engine import ProbeError
from rig.probes.run import FenceRun, flow

if TYPE_CHECKING:
    from fixtures.line import Session

WITH_RULES = [mutant for mutant in MUTANTS if not mutant.keeps_flows]


def test_the_sound_gateway_is_clean_and_the_standard_matrix_is_a_thousand(fence: FenceRun) -> None:
    report = fence.run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert len(report.outcomes) >= 1000
    assert report.categories["authorized server"]["allowed"] == 4


@pytest.mark.parametrize("seed", range(5))
def test_the_sound_gateway_is_clean_whatever_is_drawn(session: Session, seed: int) -> None:
    assert session.probes(seed=seed).run().findings == []


@pytest.mark.parametrize("mutant", WITH_RULES, ids=lambda mutant: mutant.name)
def test_a_broken_gateway_is_found_by_the_category_that_names_it(modem: Line, gateway: Gateway, mutant: Mutant) -> None:
    gateway.set_mutant(mutant.name)
    session = modem.call().start_ppp()
    try:
        found = session.probes(sample=60).run().found_by
    except ProbeError:  # a gateway that lets not even a good connection through is found by that
        found = {"authorized server"}
    assert mutant.found_by in found


def test_probes_are_the_same_for_the_same_seed_and_others_for_another(session: Session) -> None:
    first, again, other = (
        [probe.packets for probe in session.probes(seed=seed)._matrix.outward()] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.fixture
def two_addresses() -> Iterator[tuple[Line, Gateway]]:
    """A gateway with no more than two addresses to give: every second caller has that of the last but one."""
    bench = load(str(Path(__file__).with_name("small.toml")))
    with Owner() as owner:
        far = FarEnd(bench, owner)
        line = Line(bench, owner, str(far.near_port), far.secret, "1-800-555-0100", far)
        yield line, Gateway(far.lig)


def what_comes_of_the_last_callers_flow(line: Line, gateway: Gateway) -> set[str]:
    """A session, a flow in it, its end; then sessions until one has the same address, and that flow's segments."""
    line.near.open()
    session = line.call().start_ppp()
    server, address = session.surroundings.fence.servers[0], session.up.local
    with flow(line.near.namespace, server) as port:
        for _ in range(3):
            line.near.hang_up()
            gateway.wait_idle()
            line.near.open()
            session = line.call().start_ppp()
            if session.up.local == address:
                found = {outcome.verdict for outcome in session.probes().previous_flow(server, port)}
                line.near.hang_up()
                return found
    raise AssertionError(f"the address {address} never came again")


def test_the_last_callers_flows_are_forgotten(two_addresses: tuple[Line, Gateway]) -> None:
    assert what_comes_of_the_last_callers_flow(*two_addresses) == {"denied"}


def test_a_gateway_that_keeps_the_last_callers_flows_is_found(two_addresses: tuple[Line, Gateway]) -> None:
    line, gateway = two_addresses
    gateway.set_mutant("flows-kept")
    assert "leaked" in what_comes_of_the_last_callers_flow(line, gateway)


def test_where_nobody_can_look_behind_the_gateway_answers_alone_count(modem: Line, gateway: Gateway) -> None:
    """As on a real provider: an open port is found by its answer, and the report says that no one watched."""
    gateway.set_mutant("every-port")
    watched = modem.call().start_ppp().probes(sample=30)
    report = FenceRun(watched.ground, watched.caller, None).run()
    assert not report.watched
    assert "other port of a server" in report.found_by
