"""Transcripts: recorded, read, and answered again as a modem."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rig.drivers.base.errors import ConfigError
from rig.parts.exchange.replay import ReplayEngine, take_apart
from rig.run.transcript import Moment, Recorder, load

FIELD = (
    Moment(0.5, "from", b"\r\nRING\r\n"),
    Moment(1.0, "to", b"AT\r"),
    Moment(1.2, "from", b"AT\r"),
    Moment(1.3, "from", b"\r\nOK\r\n"),
    Moment(2.0, "to", b"at+g"),
    Moment(2.1, "to", b"mm\r"),
    Moment(2.2, "from", b"\r\nMT5634\r\n\r\nOK\r\n"),
    Moment(3.0, "to", b"AT\r"),
    Moment(3.1, "from", b"\r\nERROR\r\n"),
)


def answers(engine: ReplayEngine, command: bytes, now: float) -> list[tuple[float, bytes]]:
    engine.feed(command, now)
    found = []
    while engine.deadline is not None:
        at = engine.deadline
        found += [(round(at - now, 3), data) for data in engine.said(at)]
    return found


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    out = io.StringIO()
    times = iter([10.0, 10.5, 11.0])
    recorder = Recorder(out, "/dev/ttyACM0", 115200, now=lambda: next(times))
    recorder.add("to", b"AT\r")
    recorder.add("from", bytes(range(256)))
    file = tmp_path / "t.jsonl"
    file.write_text(out.getvalue())
    assert load(file) == (Moment(0.5, "to", b"AT\r"), Moment(1.0, "from", bytes(range(256))))


def test_each_command_gets_the_answer_that_it_got_after_the_same_time() -> None:
    engine = ReplayEngine(take_apart(FIELD), unknown=lambda command: pytest.fail(command))
    assert list(engine.said(0.5)) == [b"\r\nRING\r\n"]
    assert answers(engine, b"AT+GMM\r", 100.0) == [(0.1, b"\r\nMT5634\r\n\r\nOK\r\n")]
    assert answers(engine, b"AT\r", 200.0) == [(0.2, b"AT\r"), (0.3, b"\r\nOK\r\n")]


def test_a_command_that_comes_again_gets_its_answers_in_their_order_and_then_the_last() -> None:
    engine = ReplayEngine(take_apart(FIELD[1:]), unknown=lambda command: pytest.fail(command))
    said = [b"".join(data for _, data in answers(engine, b"AT\r", 10.0 * turn)) for turn in range(3)]
    assert said == [b"AT\r\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nERROR\r\n"]


def test_a_command_that_was_never_sent_is_named_and_gets_nothing() -> None:
    unknown: list[str] = []
    engine = ReplayEngine(take_apart(FIELD[1:]), unknown.append)
    assert answers(engine, b"ATI9\r", 0) == []
    assert unknown == ["ATI9"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an empty file"),
        ("{}\n", "no transcript of version 1"),
        ("AT OK\n", "line 1"),
        ('{"rig transcript": 1}\n{"at": 1, "way": "up", "data": ""}\n', 'line 2: ValueError: "way" is "to" or "from"'),
        ('{"rig transcript": 1}\n{"at": 1, "way": "to"}\n', "line 2: KeyError"),
        ('{"rig transcript": 1}\n[]\n', "line 2: TypeError"),
    ],
)
def test_a_file_that_is_no_transcript_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert str(file) in str(error.value)
    assert says in str(error.value)


def test_moments_are_one_json_object_a_line() -> None:
    out = io.StringIO()
    Recorder(out, "p", 300).add("to", b"\r\n")
    assert [json.loads(line) for line in out.getvalue().splitlines()][1]["data"] == "\r\n"
