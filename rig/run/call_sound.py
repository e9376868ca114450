"""What a call sounded like, as an exchange whose lines carry sound has recorded it: two files, a WAV and a JSON.

In the WAV are what the line's modem sends, on the left, and what it hears, on the right. Whoever has it can demodulate
what was said, so that without passwords only what comes before the first data is to be kept of it.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig.drivers.base.typed_json import from_json

FRAME = 4
"""Bytes of one moment: two samples of 16 bits."""


class Signal(msgspec.Struct, frozen=True):
    """At ``at`` seconds: what the modem hears, in dBm0; how far its points are off (mean square; they are 2 apart); its
    rate in bit/s."""

    at: float
    level: float
    error: float
    rate: int


class Course(msgspec.Struct, frozen=True):
    """``phases``: when each began, in seconds, and its name; ``signal``, once a second of data; ``points``: the last
    second's, each (in phase, quadrature)."""

    phases: tuple[tuple[float, str], ...]
    signal: tuple[Signal, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    data: float | None = None
    """When there was data first."""


@dataclass(frozen=True)
class CallSound:
    """``frames`` as the WAV has them, ``rate`` of them a second."""

    frames: bytes
    rate: int
    course: Course

    @property
    def seconds(self) -> float:
        return len(self.frames) / FRAME / self.rate

    def without_data(self) -> CallSound:
        """The same, silent from the first data on."""
        kept = len(self.frames) if self.course.data is None else round(self.course.data * self.rate) * FRAME
        return CallSound(self.frames[:kept] + bytes(len(self.frames) - kept), self.rate, self.course)

    def wav(self) -> bytes:
        """As a file."""
        made = io.BytesIO()
        with wave.open(made, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(self.frames)
        return made.getvalue()


def course_of(file: Path) -> Path:
    """Where the JSON of a WAV is."""
    return file.with_suffix(".json")


def read(file: Path) -> CallSound | None:
    """What is in a WAV and its JSON; None where nothing was recorded."""
    if not course_of(file).is_file():
        return None
    with wave.open(str(file), "rb") as recorded:
        frames, rate = recorded.readframes(recorded.getnframes()), recorded.getframerate()
    return CallSound(frames, rate, from_json(course_of(file).read_bytes(), Course))
