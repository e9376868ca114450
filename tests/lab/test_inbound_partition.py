"""Inbound calls at a partition's modem: offered over L2TP, and judged as at a modem of the near end's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.config.bench_files import load
from rig.drivers.base.errors import AuthenticationError, CallError
from rig.drivers.base.secret import Secret
from rig.fixtures.inbound import Armed, armed, connected
from rig.jobs.answer import InboundBench
from rig.jobs.arming import ArmingState
from rig.run.owner import Owner
from rig.run.progress import Progress
from tests.lab.test_inbound import the_next_call_is_good

if TYPE_CHECKING:
    from pathlib import Path

    from rig.fixtures.inbound import InboundCall


@pytest.fixture(scope="module")
def inbound_bench() -> Iterator[InboundBench]:
    with Owner() as owner:
        yield InboundBench.built(load("i5os-inbound"), owner, Progress.silent())


def test_what_is_promised_is_reached_and_nothing_else(inbound_call: InboundCall) -> None:
    results = inbound_call.verify(range(1, 400))
    assert [(result.name, result.observed) for result in results if result.held is False] == []
    assert sum(result.held is True for result in results) == 13


def test_wrong_credentials_are_refused_and_the_right_ones_get_in(representative: Armed) -> None:
    with pytest.raises(AuthenticationError), connected(representative, Secret("somebody", "else")):
        pass
    the_next_call_is_good(representative)
    assert [call.result for call in representative.verdict.calls] == ["AUTHENTICATION REFUSED", "CONNECT"]


def test_a_caller_who_hangs_up_after_connect_is_told_as_such(representative: Armed) -> None:
    caller = representative.representative()
    caller.dial(representative.number)
    caller.hang_up()
    the_next_call_is_good(representative)
    assert representative.verdict.calls[0].result in ("CARRIER LOST", "NO CARRIER", "PPP NEGOTIATION FAILED")


def test_the_line_drops_in_the_session_and_the_arming_is_used(representative: Armed) -> None:
    with connected(representative) as call:
        assert representative.stage.lines is not None
        representative.stage.lines.control.ask("drop_carrier", line="i5os-1")
        assert call.caller.session.wait_end(10)
    representative.wait()
    assert representative.arming.record.state is ArmingState.USED


def test_with_nobody_waiting_it_rings_and_is_not_answered(inbound_bench: InboundBench, tmp_path: Path) -> None:
    """No near end has a tunnel: the partition lets it ring, and takes the next call that somebody wants."""
    caller = inbound_bench.representative(Secret("who", "ever"), Progress.silent(), "early")
    caller.open()
    caller.modem.command("ATS7=3")
    with pytest.raises(CallError) as failure:
        caller.dial(inbound_bench.number)
    assert failure.value.exit_status in (11, 13)
    caller.hang_up()
    with armed(inbound_bench, tmp_path / "one.json") as one:
        the_next_call_is_good(one)
