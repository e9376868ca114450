"""What a run on a bench came to, from what is said of it."""

from __future__ import annotations

import pytest
from rig_farm import frames, outcome
from rig_farm.errors import BenchLostError, CallFailedError, FrameError, LeaseError
from rig_farm.outcome import collect

GOOD = [
    frames.Text("dialling"),
    frames.Call({"number": 1}),
    *frames.pieces("verdict.json", b'{"outcome": "OK", "message": "15 checks held"}'),
    frames.End(0),
]


def said(*what):
    return [frames.encode(one) for one in what]


def test_lines_and_calls_are_told_as_they_come_and_the_report_is_put_into_its_folder(tmp_path):
    lines, calls = [], []
    found = collect(said(*GOOD), tmp_path / "new", lines.append, calls.append)
    assert found is not None
    assert (found.exit, found.said, found.message) == (0, ("dialling",), "15 checks held")
    assert (lines, calls) == (["dialling"], [{"number": 1}])
    assert (found.folder / "verdict.json").read_bytes().startswith(b'{"outcome"')
    assert found.check() is found


@pytest.mark.parametrize("cut", range(len(GOOD)))
def test_one_that_stops_before_its_end_has_come_to_nothing(tmp_path, cut):
    assert collect(said(*GOOD[:cut]), tmp_path) is None


@pytest.mark.parametrize("end", [frames.End(10), frames.End(0, "its client has gone"), frames.End(137)])
def test_a_run_that_was_not_good_fails_the_check(tmp_path, end):
    found = collect(said(*GOOD[:-1], end), tmp_path)
    assert found is not None
    with pytest.raises(CallFailedError, match="OK"):
        found.check()


def test_a_bench_that_is_not_acquired_is_told(tmp_path):
    with pytest.raises(LeaseError, match="not acquired"):
        collect(said(frames.End(frames.NO_LEASE, "bench is not acquired")), tmp_path)


def test_what_is_no_frame_is_refused(tmp_path):
    with pytest.raises(FrameError):
        collect([b"Last login: yesterday\n"], tmp_path)


def test_a_report_without_end_is_a_lost_bench(tmp_path, monkeypatch):
    monkeypatch.setattr(outcome, "LARGEST", 10)
    with pytest.raises(BenchLostError, match="more than 10 bytes"):
        collect(said(frames.Piece("a", bytes(8)), frames.Piece("b", bytes(8))), tmp_path)


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").write_text("as it was")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "verdict.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"verdict\.json"):
        collect(said(*GOOD), tmp_path / "report")
    assert (tmp_path / "elsewhere").read_text() == "as it was"
