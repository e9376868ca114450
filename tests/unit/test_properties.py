"""Any bytes, split anywhere: the readers never crash, never grow without bound, never depend on the split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.modem.at import LONGEST_LINE, Echo, Reader, Text
from rig.drivers.modem.interview import Heard, find_and_ask
from rig.drivers.modem.result_codes import Code, Result
from rig.lab.channel import ChannelError, Decoder, Frame, Kind, encode
from rig.parts.exchange.hayes.engine import Engine
from rig.parts.exchange.hayes.events import Line, ModemState

chunks = st.lists(st.binary(max_size=40), max_size=30)
answers = st.sampled_from(
    [b"\r\nOK\r\n", b"\r\nCONNECT 33600\r\n", b"0\r", b"\r\nRING\r\n", b"text\r\n", b"3\r", b"\0"]
)


def read(pieces: list[bytes]) -> list[object]:
    reader = Reader()
    events: list[object] = []
    for piece in pieces:
        events += reader.feed(piece)
    return events + list(reader.idle())


@given(chunks)
def test_reader_takes_any_bytes_and_keeps_no_more_than_a_line(pieces: list[bytes]) -> None:
    reader = Reader()
    for piece in pieces:
        reader.feed(piece)
    assert len(reader._line) <= LONGEST_LINE


@given(st.lists(answers, max_size=12), st.integers(min_value=1, max_value=9))
def test_reader_finds_the_same_events_however_bytes_are_split(stream: list[bytes], size: int) -> None:
    """Catches a result code lost, or found twice, at the edge of a read."""
    whole = b"".join(stream)
    assert read([whole[i : i + size] for i in range(0, len(whole), size)]) == read([whole])


@given(st.text(alphabet="ABCENORK \r\n", max_size=30))
def test_reader_never_takes_part_of_a_line_for_a_result(text: str) -> None:
    for event in read([("x" + text.replace("\r", "").replace("\n", "") + "\r\n").encode()]):
        assert not isinstance(event, Result) or event.code is Code.ERROR


events = st.one_of(
    st.tuples(st.just("dte"), st.binary(max_size=30)),
    st.tuples(st.just("dte"), st.sampled_from([b"ATD1\r", b"ATA\r", b"+++", b"ATH\r", b"ATZ\r", b"ATO\r"])),
    st.tuples(st.just("line"), st.sampled_from(list(Line))),
    st.tuples(st.just("data"), st.binary(max_size=30)),
    st.tuples(st.just("dtr"), st.booleans()),
    st.tuples(st.just("time"), st.floats(min_value=0, max_value=70)),
)


@given(st.lists(events, max_size=60))
def test_engine_survives_any_history_and_comes_back_to_commands(history: list[tuple[str, object]]) -> None:
    """Catches a stuck modem: after any history, DTR off and on again makes one that answers AT."""
    engine, now = Engine(), 0.0
    for kind, what in history:
        if kind == "dte":
            engine.from_dte(what, now)  # type: ignore[arg-type]
        elif kind == "line":
            engine.on_line(what, now, 33600)  # type: ignore[arg-type]
        elif kind == "data":
            engine.from_line(what, now)  # type: ignore[arg-type]
        elif kind == "dtr":
            engine.set_dtr(bool(what), now)
        else:
            now += what  # type: ignore[operator]
            for _ in range(20):
                engine.tick(now)
    engine.settings.options["&D"] = 3
    engine.settings.registers[25] = 5
    engine.set_dtr(False, now)
    engine.tick(now + 3)
    engine.set_dtr(True, now + 3)
    assert engine.state is ModemState.COMMAND
    assert not engine.off_hook
    answer = b"".join(getattr(effect, "data", b"") for effect in engine.from_dte(b"\rAT\r", now + 4))
    assert b"OK" in answer or b"0\r" in answer or engine.settings.options["Q"]


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=50)), max_size=10), st.integers(1, 7))
def test_frames_come_out_as_they_went_in(frames: list[tuple[Kind, bytes]], size: int) -> None:
    stream = b"".join(encode(kind, payload) for kind, payload in frames)
    decoder, found = Decoder(), []
    for start in range(0, len(stream), size):
        found += decoder.feed(stream[start : start + size])
    assert found == [Frame(kind, payload) for kind, payload in frames]


@given(st.binary(max_size=200))
def test_channel_refuses_what_is_no_frame(data: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(data)
    except ChannelError:
        return
    assert len(decoder._buffer) <= len(data)


events = st.one_of(
    st.builds(Text, st.text(max_size=20)),
    st.builds(Echo, st.text(max_size=20)),
    st.builds(Result, st.sampled_from(Code), st.text(max_size=10)),
)
hearings = st.builds(Heard, st.lists(events, max_size=5).map(tuple), st.integers(0, 100_000), st.integers(0, 1000))


@given(st.lists(hearings, max_size=60), st.booleans(), st.booleans(), st.booleans())
def test_an_interview_ends_whatever_a_port_says(
    said: list[Heard], fixed_speed: bool, online: bool, patient: bool
) -> None:
    """Catches questions without end, and an answer that no question was prepared for."""
    dialogue = find_and_ask(115200, fixed_speed=fixed_speed, online=online, patient=patient)
    next(dialogue)
    steps = 0
    with pytest.raises(StopIteration) as end:
        while True:
            dialogue.send(said[steps] if steps < len(said) else Heard())
            steps += 1
            assert steps < 80
    findings = end.value.value
    assert findings.speed or findings.why
