"""Two benches compared by calls: one as it is, and one whose caller has another secret than its gateway."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.jobs.connect import open_once
from rig.jobs.soak_arms import ArmsPlan, run
from rig.paths.building import build
from rig.run.progress import Progress
from rig.verdict.soak import SoakVerdict

CALLS = 4
"""Of which none is good on one bench, and all are on the other: the bounds of that difference are below 0."""


def of_two(folder: Path, calls: int) -> SoakVerdict:
    good: Bench = load("loopback-instant")
    number = good.gateway_number
    assert number is not None
    wrong = msgspec.structs.replace(good, name="wrong-secret")
    refusing = next(str(one.number) for one in good.exchange.numbers if one.accounts == "none") if good.exchange else ""
    plan = ArmsPlan(((good, (number,)), (wrong, (type(number)(refusing),))), calls)
    verdict, _ = run(plan, folder, Progress.silent(), build, open_once)
    return verdict


@pytest.mark.timeout(300)
def test_a_bench_whose_calls_are_refused_is_shown_to_be_worse_and_the_calls_go_on_where_they_stopped(
    tmp_path: Path,
) -> None:
    assert len(of_two(tmp_path, 1).calls) == 2
    verdict = of_two(tmp_path, CALLS)
    assert Counter((call.arm, call.exit) for call in verdict.calls) == {
        ("loopback-instant", 0): CALLS, ("wrong-secret", 21): CALLS,
    }  # fmt: skip
    assert [call.number for call in verdict.calls] == list(range(1, 2 * CALLS + 1))
    assert (verdict.outcome, verdict.exit) == ("ARM WORSE", 1)
    assert [one.what for one in verdict.differences if one.worse] == ["good calls"]
