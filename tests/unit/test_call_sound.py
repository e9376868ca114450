"""The sound of a call in a report: as a picture, and as a file that does not tell what was said."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from pathlib import Path

import msgspec
import numpy as np

from rig.report.spectrogram import DATA_SECONDS, HEIGHT, WIDTH, Picture, picture
from rig.run.call_sound import CallSound, Course, Signal, course_of, read

RATE = 8000


def sound(
    seconds: float, hertz: tuple[float, float], *phases: tuple[float, str], data: float | None = None
) -> CallSound:
    """One tone is sent, the other heard, with the amplitude of -10 dBm0."""
    at = np.arange(round(seconds * RATE)) / RATE
    both = np.stack([7000 * np.sin(2 * math.pi * one * at) for one in hertz], 1).astype("<i2")
    signal = (Signal(2.0, -10.0, 0.01, 2400), Signal(3.0, -12.0, 0.02, 2400))
    return CallSound(both.tobytes(), RATE, Course(phases, signal, ((1.0, -3.0),), data))


def shades(url: str) -> np.ndarray:
    """A picture's rows from the top, as a reader of PNG has them."""
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts, place = {}, 8
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + body)
        parts[kind] = body
        place += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (width, height, depth, colour, len(parts[b"PLTE"])) == (WIDTH, HEIGHT, 8, 3, 768)
    return np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)[:, 1:]


def drawn(one: CallSound) -> Picture:
    made = picture(one)
    assert made is not None
    return made


def test_a_tone_is_brightest_at_its_frequency() -> None:
    made = drawn(sound(3, (1000, 2500)))
    for url, hertz in ((made.sent, 1000), (made.heard, 2500)):
        rows = shades(url).mean(axis=1)
        assert abs((HEIGHT - 1 - int(np.argmax(rows)) + 1) * RATE / 256 - hertz) <= RATE / 256
        assert rows.max() > 200
        assert np.median(rows) < 20


def test_phases_are_named_where_they_begin_and_have_room() -> None:
    made = drawn(sound(30, (600, 600), (0, "listening"), (10, "dialling"), (10.2, "listening"), (20, "data")))
    assert [(round(label.x), label.name) for label in made.labels] == [
        (0, "listening"), (300, ""), (306, "listening"), (600, "data"),
    ]  # fmt: skip


def test_data_are_shown_for_a_while_and_whole_where_something_happens_to_them() -> None:
    quiet = sound(60, (600, 600), (0, "listening"), (10, "data"), (59, "on hook"), data=10)
    retrained = sound(60, (600, 600), (0, "listening"), (10, "data"), (40, "retrain"), (43, "data"), data=10)
    assert drawn(quiet).shown == 10 + DATA_SECONDS
    assert drawn(retrained).shown == 60


def test_level_and_error_are_drawn_over_the_whole_call() -> None:
    made = drawn(sound(4, (600, 600), (0, "data"), data=0))
    assert (made.signal.levels, made.signal.worst) == ((-12.0, -10.0), 0.02)
    assert made.signal.level == f"M{WIDTH / 2:.1f},0.0 L{WIDTH * 3 / 4:.1f},70.0"
    assert [(round(dot.x, 3), round(dot.y, 3)) for dot in made.dots] == [(0.222, 0.667)]


def test_a_call_without_sound_has_no_picture(tmp_path: Path) -> None:
    assert picture(CallSound(b"", RATE, Course(()))) is None
    assert read(tmp_path / "nothing.wav") is None


def test_what_was_said_is_silence_in_what_may_be_kept(tmp_path: Path) -> None:
    whole = sound(3, (600, 700), (0, "listening"), (1, "data"), data=1)
    kept = whole.without_data()
    assert kept.frames[: RATE * 4] == whole.frames[: RATE * 4]
    assert not any(kept.frames[RATE * 4 :])
    assert len(kept.frames) == len(whole.frames)
    assert sound(3, (600, 700), (0, "listening")).without_data().frames == sound(3, (600, 700)).frames
    file = tmp_path / "call.wav"
    file.write_bytes(whole.wav())
    course_of(file).write_bytes(msgspec.json.encode(whole.course))
    assert read(file) == whole
