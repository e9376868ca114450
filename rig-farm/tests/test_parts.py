"""A shared bench's parts by themselves: what a line says, what a name may be, who has the bench."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from rig_farm import frames
from rig_farm.errors import FrameError, LeaseError
from rig_farm.lease import Held, Lease, used


@pytest.mark.parametrize(
    "frame",
    [
        frames.Text("         0.1 s  dialling: “CONNECT”\u0000"),
        frames.Call({"number": 1, "outcome": "OK"}),
        frames.Piece("call.pcapng", bytes(range(256))),
        frames.Piece("empty", b""),
        frames.End(130, "its client has gone"),
    ],
)
def test_what_is_said_is_heard(frame):
    line = frames.encode(frame)
    assert line.count(b"\n") == 1
    assert frames.decode(line) == frame


@pytest.mark.parametrize(
    "line",
    [
        b"Last login: Sat Nov 28\n",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"text": 1}\n',
        b'{"exit": "0", "why": ""}\n',
        b'{"file": "../.bashrc", "data": ""}\n',
        b'{"file": ".profile", "data": ""}\n',
        b'{"file": "a/b", "data": ""}\n',
        b'{"file": "", "data": ""}\n',
        b'{"file": "a", "data": "not base64"}\n',
        b'{"text": "cut o',
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_frame_is_refused_with_its_beginning(line):
    with pytest.raises(FrameError, match="rig-on-bench does not say"):
        frames.decode(line)


def test_a_file_comes_in_pieces_and_is_whole():
    whole = bytes(range(256)) * 3000
    pieces = list(frames.pieces("a", whole))
    assert len(pieces) == 3
    assert b"".join(piece.data for piece in pieces) == whole
    assert all(len(frames.encode(piece)) < frames.LONGEST for piece in pieces)


def lease_of(path: Path) -> Lease:
    return Lease("a-place", "a-bench", "/usr/bin/true", 0.0)


def test_a_bench_that_nobody_has_cannot_be_used(tmp_path):
    path = tmp_path / "bench.lease"
    with pytest.raises(LeaseError, match="bench is not acquired"), used(path, bool, bool):
        pass
    Held(path, lease_of(path)).end()
    with pytest.raises(LeaseError, match="bench is not acquired"), used(path, bool, bool):
        pass


def test_where_no_exporter_has_ever_run_there_is_no_lease(tmp_path):
    with (
        pytest.raises(LeaseError, match="bench is not acquired"),
        used(tmp_path / "never" / "bench.lease", bool, bool),
    ):
        pass
    (tmp_path / "a-file").touch()
    with (
        pytest.raises(LeaseError, match="no lease can be used there: Not a directory"),
        used(tmp_path / "a-file" / "bench.lease", bool, bool),
    ):
        pass


def test_a_lease_whose_exporter_was_killed_is_none(tmp_path):
    path = tmp_path / "bench.lease"
    path.write_text('{"place": "a", "bench": "b", "rig": "rig", "since": 0}')
    with pytest.raises(LeaseError, match="bench is not acquired"), used(path, bool, bool):
        pass


def test_the_end_of_a_lease_is_told_to_who_uses_the_bench_also_where_the_next_has_begun(tmp_path):
    path, ended = tmp_path / "bench.lease", threading.Event()
    held = Held(path, lease_of(path))
    with used(path, ended.set, bool) as lease:
        assert lease.place == "a-place"
        assert not ended.wait(0.2)
        held.end()
        following = Held(path, lease_of(path))
        assert ended.wait(10)
    following.end()


def test_one_bench_is_leased_by_one_exporter(tmp_path):
    path = tmp_path / "bench.lease"
    held = Held(path, lease_of(path))
    with pytest.raises(LeaseError, match="another exporter of this machine has leased a-bench"):
        Held(path, lease_of(path))
    held.end()
    Held(path, lease_of(path)).end()


def test_the_second_run_on_a_bench_waits_for_the_first_and_says_so(tmp_path):
    path, told, second = tmp_path / "bench.lease", threading.Event(), threading.Event()
    held = Held(path, lease_of(path))

    def use() -> None:
        with used(path, bool, told.set):
            second.set()

    with used(path, bool, bool):
        thread = threading.Thread(target=use)
        thread.start()
        assert told.wait(10)
        assert not second.is_set()
    thread.join(10)
    assert second.is_set()
    held.end()


def test_who_had_what_is_written_down(tmp_path):
    path = tmp_path / "bench.lease"
    Held(path, lease_of(path)).end()
    lines = [json.loads(line) for line in (tmp_path / "leases.jsonl").read_text().splitlines()]
    assert [(line["event"], line["place"], line["bench"]) for line in lines] == [
        ("acquired", "a-place", "a-bench"),
        ("released", "a-place", "a-bench"),
    ]
