"""A soak's calls on disk, and what they come to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.base.errors import ConfigError, UsageError
from rig.drivers.modem.number import Number
from rig.jobs.soak import FILE, Log, judge, percentiles, table
from rig.verdict.soak import SoakCall, SoakVerdict

NUMBERS = [Number("5")]


def call(number: int, outcome: str = "OK") -> SoakCall:
    return SoakCall(number, "2026-01-01T00:00:00Z", outcome, 0 if outcome == "OK" else 13, 33600, 4.0, 0.2)


def test_calls_are_there_again_after_the_machine_died_in_the_middle_of_a_line(tmp_path: Path) -> None:
    log = Log(tmp_path, "b", NUMBERS)
    log.add(call(1))
    log.add(call(2, "BUSY"))
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-9])
    again = Log(tmp_path, "b", NUMBERS)
    assert again.calls == [call(1)]
    again.add(call(2))
    assert Log(tmp_path, "b", NUMBERS).calls == [call(1), call(2)]


@pytest.mark.parametrize("text", ["", '{"rig so'])
def test_a_log_that_died_with_its_first_line_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    Log(tmp_path, "b", NUMBERS).add(call(1))
    assert Log(tmp_path, "b", NUMBERS).calls == [call(1)]


@pytest.mark.parametrize(("bench", "numbers"), [("other", NUMBERS), ("b", [Number("6")])])
def test_a_soak_of_something_else_is_not_gone_on_with(tmp_path: Path, bench: str, numbers: list[Number]) -> None:
    Log(tmp_path, "b", NUMBERS)
    with pytest.raises(UsageError, match="is of a soak of"):
        Log(tmp_path, bench, numbers)


@pytest.mark.parametrize(
    "text", ["hello\n", "[]\n", "3\n", '{"rig soak": 1, "bench": "b", "numbers": ["5"]}\n{"a": 1}\n']
)
def test_a_file_that_is_no_soak_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=FILE) as error:
        Log(tmp_path, "b", NUMBERS)
    assert isinstance(error.value, ConfigError) == ("line" in str(error.value))
    assert (tmp_path / FILE).read_text() == text, "what was there is lost"


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=300))
def test_percentiles_are_times_that_calls_took_in_order(values: list[float]) -> None:
    p50, p95, p99 = percentiles(values)
    assert p50 <= p95 <= p99 <= max(values)
    assert {p50, p95, p99} <= set(values)
    assert sum(value <= p95 for value in values) >= 0.95 * len(values)


def test_a_verdict_counts_each_outcome() -> None:
    verdict = SoakVerdict("b", "native", wanted=4)
    judge(verdict, [call(1), call(2, "BUSY"), call(3), call(4, "NO CARRIER")])
    assert (verdict.exit, verdict.outcome, verdict.good) == (1, "CALLS FAILED", 2)
    assert verdict.message == "2 of 4 calls were good; 1 BUSY, 1 NO CARRIER"
    assert re_lines(table(verdict), "BUSY") == ["BUSY                           1    25.0%"]


def test_no_call_at_all_is_no_success() -> None:
    verdict = SoakVerdict("b", "native", wanted=4)
    judge(verdict, [])
    assert verdict.exit == 1


def test_times_are_told_only_of_calls_that_came_up() -> None:
    """Catches a row of 0.00 s for calls that were all busy: nothing is as fast."""
    verdict = SoakVerdict("b", "native", wanted=1)
    judge(verdict, [SoakCall(1, "", "BUSY", 10)])
    assert verdict.times == {}
    assert table(verdict).splitlines() == [
        "outcome                    calls    share",
        "BUSY                           1   100.0%",
    ]


def re_lines(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(word)]
