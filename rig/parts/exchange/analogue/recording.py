"""The sound of a line in a file: left what its modem sends, right what it hears; and its course. See run.call_sound."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import msgspec
import numpy as np

from rig.drivers.sound.samples import BLOCK, RATE, Sound, coded, level
from rig.parts.exchange.analogue.data_pump import DataPump, Phase
from rig.run.call_sound import Course, Signal, course_of

_SECOND = RATE // BLOCK


class Recording:
    """``file`` is a WAV file, made, which its owner alone may read. Only what passes while the modem is off hook is
    recorded."""

    def __init__(self, file: Path) -> None:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115 - until close()
        self._wave.setnchannels(2)
        self._wave.setsampwidth(2)
        self._wave.setframerate(RATE)
        self._path = file
        self._blocks = 0
        self._phase: Phase | None = None
        self._phases: list[tuple[float, str]] = []
        self._signal: list[Signal] = []
        self._points: list[tuple[float, float]] = []
        self._data: float | None = None

    def write(self, sent: Sound, heard: Sound, pump: DataPump | None) -> None:
        """A block, and whose it is, where that is known."""
        now = round(self._blocks * BLOCK / RATE, 2)
        phase = pump.phase if pump else Phase.LISTENING
        if phase is not self._phase:
            self._phase = phase
            self._phases.append((now, phase.value))
            self._data = now if self._data is None and phase is Phase.DATA else self._data
        if pump and phase is Phase.DATA and self._blocks % _SECOND == 0:
            self._signal.append(Signal(now, round(level(heard), 1), round(pump.quality.error, 4), pump.rate))
            self._points = pump.quality.constellation
        self._wave.writeframesraw(np.stack((coded(sent), coded(heard)), 1).astype("<i2").tobytes())
        self._blocks += 1

    def close(self) -> None:
        self._wave.close()
        self._file.close()
        course = Course(tuple(self._phases), tuple(self._signal), tuple(self._points), self._data)
        course_of(self._path).write_bytes(msgspec.json.encode(course))
