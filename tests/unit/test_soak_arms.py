"""What calls on several benches come to, beside each other: what is shown, and what is not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from rig.config.bench_files import load
from rig.drivers.base.errors import UsageError
from rig.jobs.soak import Log
from rig.jobs.soak_arms import ArmsPlan, compare, table
from rig.report import Subject, page
from rig.report.forest import forest
from rig.run.trace import Trace
from rig.verdict.soak import SoakCall, SoakVerdict
from rig.verdict.verdict import as_values

A, B, C = "as-it-is", "new-firmware", "another"


def calls(arm: str, good: int, bad: int, seconds: Iterable[float] = ()) -> list[SoakCall]:
    times = [*seconds] or [20.0] * good
    came_up = [SoakCall(0, "", "OK", 0, 33600, times[at % len(times)], 0.3, 30.0, arm=arm) for at in range(good)]
    return came_up + [SoakCall(0, "", "NO CARRIER", 13, arm=arm)] * bad


def compared(*made: list[SoakCall], names: tuple[str, ...] = (A, B)) -> SoakVerdict:
    verdict = SoakVerdict("b", "native", wanted=1)
    compare(verdict, [call for each in made for call in each], names)
    return verdict


def shown(verdict: SoakVerdict) -> dict[tuple[str, str], bool | None]:
    return {(one.arm, one.what): one.worse for one in verdict.differences}


def test_arms_that_are_alike_show_no_difference() -> None:
    verdict = compared(calls(A, 46, 2), calls(B, 44, 4))
    assert (verdict.outcome, verdict.exit) == ("OK", 0)
    assert verdict.message == "96 calls, beside as-it-is: no difference shown"
    assert set(shown(verdict).values()) == {None}
    assert all(check.held for check in verdict.checks)


def test_an_arm_whose_calls_fail_more_often_is_worse() -> None:
    verdict = compared(calls(A, 47, 1), calls(B, 33, 15))
    assert (verdict.outcome, verdict.exit) == ("ARM WORSE", 1)
    assert shown(verdict)[B, "good calls"] is True
    assert "new-firmware: good calls -29.2 points (-43" in verdict.message
    assert [check.held for check in verdict.checks].count(False) == 1


def test_an_arm_that_connects_sooner_is_better_and_that_is_no_failure() -> None:
    drawn = random.Random(1)
    slow, fast = ([drawn.gauss(much, 2) for _ in range(40)] for much in (20, 17))
    verdict = compared(calls(A, 40, 0, slow), calls(B, 40, 0, fast))
    assert (verdict.outcome, verdict.exit) == ("OK", 0)
    assert shown(verdict)[B, "dial to CONNECT"] is False
    turned = compared(calls(A, 40, 0, fast), calls(B, 40, 0, slow))
    assert (turned.outcome, shown(turned)[B, "dial to CONNECT"]) == ("ARM WORSE", True)


def test_of_three_each_is_held_to_the_first_and_its_bounds_are_wider_for_that() -> None:
    both = compared(calls(A, 48, 0), calls(B, 40, 8))
    three = compared(calls(A, 48, 0), calls(B, 40, 8), calls(C, 48, 0), names=(A, B, C))
    assert shown(three)[C, "good calls"] is None
    assert shown(three)[B, "good calls"] is True
    wide, narrow = three.differences[0].bounds, both.differences[0].bounds
    assert wide is not None
    assert narrow is not None
    assert wide[0] < narrow[0] < narrow[2] < wide[2]


def test_few_calls_show_nothing_and_it_is_said_which_could_not_be_judged() -> None:
    verdict = compared(calls(A, 2, 0), calls(B, 1, 1))
    assert shown(verdict)[B, "good calls"] is None
    times = [check for check in verdict.checks if check.name == f"{B}: dial to CONNECT"]
    assert [(check.held, check.observed) for check in times] == [(None, "too few calls to say")]


@pytest.mark.parametrize(
    ("made", "outcome"), [([calls(A, 0, 9), calls(B, 0, 9)], "CALLS FAILED"), ([calls(A, 9, 0)], "NOTHING COMPARED")]
)
def test_where_nothing_can_be_compared_it_is_no_success(made: list[list[SoakCall]], outcome: str) -> None:
    verdict = compared(*made)
    assert (verdict.outcome, verdict.exit) == (outcome, 1)


def test_a_run_that_was_ended_by_something_else_stays_so() -> None:
    verdict = SoakVerdict("b", "native", outcome="INTERRUPTED", exit=130, message="interrupted")
    compare(verdict, [*calls(A, 3, 0), *calls(B, 3, 0)], (A, B))
    assert (verdict.outcome, verdict.exit) == ("INTERRUPTED", 130)
    assert verdict.message.startswith("interrupted; 6 calls")


def test_the_table_has_a_row_for_each_arm_and_a_line_for_each_difference() -> None:
    text = table(compared(calls(A, 47, 1), calls(B, 33, 15))).splitlines()
    assert text[1].split()[:5] == [A, "48", "47", "97.9", "%"]
    assert "new-firmware: connect rate: no difference shown: +0 bit/s (+0 to +0)" in text


def plan(calls: int, seed: int = 2007) -> ArmsPlan:
    bench = load("loopback-instant")
    return ArmsPlan(tuple((msgspec.structs.replace(bench, name=name), ()) for name in (A, B, C)), calls, seed=seed)


def test_in_every_round_each_arm_has_one_call_and_the_rounds_differ() -> None:
    order = plan(50).order()
    rounds = [tuple(order[at : at + 3]) for at in range(0, 150, 3)]
    assert all(sorted(each) == [0, 1, 2] for each in rounds)
    assert len(set(rounds)) == 6
    assert plan(50, seed=1).order() != order


def test_one_that_goes_on_with_more_calls_has_the_same_order_as_far_as_it_went(tmp_path: Path) -> None:
    assert plan(50).order()[:30] == plan(10).order()
    Log(tmp_path, "a and b", ["1", "2"], seed=1)
    with pytest.raises(UsageError, match="is of a soak of"):
        Log(tmp_path, "a and b", ["1", "2"], seed=2)


def test_the_page_has_a_row_for_each_bench_and_a_bar_for_each_difference() -> None:
    verdict = compared(calls(A, 47, 1), calls(B, 33, 15))
    found, bench = verdict.differences, load("loopback-instant")
    told = Subject("96 calls", bench, as_values(verdict), (), Trace(), calls=verdict.calls, differences=found)
    html = page.render(told)
    assert f"<td>{A}</td><td>48</td><td>47</td><td>97.9 %</td>" in html
    assert html.count('r="5"') == len(found) == 5
    assert "-29.2 points" in html


def test_the_picture_has_no_difference_in_its_middle() -> None:
    drawn = forest(compared(calls(A, 47, 1), calls(B, 33, 15)).differences)
    worse = drawn.bars[0]
    assert worse.place is not None
    assert worse.place[0] < worse.place[1] < worse.place[2] < drawn.middle
    assert worse.colour == "var(--bad)"
    assert [bar.place for bar in forest(compared(calls(A, 2, 0), calls(B, 2, 0)).differences).bars[1:]] == [None] * 4
