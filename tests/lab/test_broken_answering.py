"""The test of the representative's checks: each broken answering side is found by the check that names it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.errors import RigError
from rig.fixtures.inbound import armed, connected
from rig.jobs import answer as job
from rig.jobs.answer import as_before, second_call
from rig.jobs.arming import Arming, Record, Step
from rig.run.progress import Progress
from tests.lab.broken_answering import BROKEN, Broken, mended
from tests.lab.broken_rules import AS_BEFORE

if TYPE_CHECKING:
    from rig.jobs.answer import InboundBench


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_answering_side_is_found(inbound_bench: InboundBench, tmp_path: Path, kind: type[Broken]) -> None:
    before = inbound_bench.end.surroundings()
    stage = inbound_bench.with_end(kind, Progress.silent())
    try:
        with armed(stage, tmp_path / "one.json") as one:
            with connected(one) as call:
                found = kind.found_by != AS_BEFORE and call.finds(kind.found_by)
            one.wait()
        found = found or as_before(inbound_bench.end, before).held is False
    finally:
        stage.end.hang_up()
        mended(inbound_bench.end)
    assert found
    if kind.found_by != AS_BEFORE:
        assert as_before(inbound_bench.end, before).held


class NeverUsed(Arming):
    """An arming that forgets that somebody has got in."""

    def step(self, step: Step) -> None:
        super().step(Step.GIVEN_UP if step is Step.AUTHENTICATED else step)


def test_credentials_that_work_twice_are_found(inbound_bench: InboundBench, tmp_path: Path) -> None:
    """The call after the first: nobody may answer it, and here somebody does."""
    with armed(inbound_bench, tmp_path / "one.json") as one:
        with connected(one):
            pass
        one.wait()
        forgetful = NeverUsed(tmp_path / "two.json", Record(one.arming.record.serial, "10.253.0.1", time.time() + 60))
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(job.take_call, one.end, forgetful, Progress.silent(), one.verdict)
            caller = one.stage.representative(one.credentials, Progress.silent(), "twice")
            job.await_listening(one.end)
            assert second_call(caller, one.number).held is False
            job.await_listening(one.end)
            one.end.abandon()
            with pytest.raises(RigError):
                taken.result(30)


def test_the_sound_side_is_clean(inbound_bench: InboundBench, tmp_path: Path) -> None:
    for number in range(2):
        with armed(inbound_bench, tmp_path / f"{number}.json") as one, connected(one) as call:
            assert [result.line() for result in call.verify(range(1, 200)) if result.held is False] == []
