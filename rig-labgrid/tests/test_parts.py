"""The farm's parts by themselves: what a line says, what a name may be, who has the next calls."""

from __future__ import annotations

import threading

import pytest
from rig_labgrid import frames
from rig_labgrid.errors import FarmError, FrameError
from rig_labgrid.farm import Calls
from rig_labgrid.places import Tags


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


@pytest.mark.parametrize("words", ["", "modem", "modem=", "=x", "modem=a,", "modem=a,,line=b"])
def test_tags_that_are_none_are_refused(words):
    with pytest.raises(FarmError, match="TAG=PATTERN"):
        Tags.read(words)


def test_a_value_is_a_pattern_and_a_tag_that_is_missing_does_not_match():
    tags = Tags.read("modem=usr-*, line=?")
    assert tags.match({"modem": "usr-courier", "line": "2", "more": "x"})
    assert not tags.match({"modem": "usr-courier"})
    assert not tags.match({"modem": "zoom", "line": "2"})


def test_calls_are_taken_in_portions_that_become_smaller_until_none_is_left():
    calls, portions = Calls(100, 2), []
    while portion := calls.take():
        portions.append(portion)
        calls.end(0)
    assert sum(portions) == 100
    assert portions == sorted(portions, reverse=True)
    assert portions[0] == 12
    assert portions[-1] == 1


def test_one_that_finds_no_call_left_waits_for_what_a_lost_bench_leaves():
    calls, taken = Calls(1, 2), []
    assert calls.take() == 1
    other = threading.Thread(target=lambda: taken.append(calls.take()))
    other.start()
    calls.end(1)
    other.join(10)
    assert taken == [1]
    calls.end(0)
    assert calls.take() == 0
