"""What a modem makes of what it hears before there is a carrier: call progress, as modems tell it, by how long a sound
lasts and how long it is quiet after it, whatever its two frequencies are in this country; and answer tones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

import numpy as np

from rig.drivers.sound.samples import BLOCK, RATE, SECONDS, Coded, level


class Heard(Enum):
    DIAL_TONE = "a tone that goes on"
    RING_BACK = "the far end rings"
    BUSY = "bursts as long as their pauses"
    QUIET = "nothing any more"
    ANSWER_TONE = "2,100 Hz: a modem of V.25 answers"
    BELL_TONE = "2,225 Hz: a modem of Bell's answers"


FAINT_DBM0 = -43.0
"""What is fainter is silence (TIA-968: dial tone comes with -27 dBm or more)."""
DIAL_TONE_SECONDS = 1.0
QUIET_SECONDS = 5.0
"""Longer than the pause between two rings anywhere (V.250 §6.3.1.4)."""
BUSY_SECONDS = (0.12, 0.75)
"""Of a burst, and of a pause: slow and fast busy of all countries (ITU-T E.180 supplement 2)."""
RING_PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 0.16
"""For so long an answer tone is heard before it is taken for one."""
_SETTLED = 2
"""Blocks that a change must last."""

_HERTZ = np.fft.rfftfreq(BLOCK, 1 / RATE)
_WINDOW = np.hanning(BLOCK).astype(np.float32)


def _band(low: float, high: float) -> slice:
    inside = np.flatnonzero((low <= _HERTZ) & (high >= _HERTZ))
    return slice(int(inside[0]), int(inside[-1]) + 1)


_VOICE = _band(200, 3400)
_PROGRESS = _band(300, 700)
_ANSWER = _band(2050, 2150)
_BELL = _band(2200, 2300)


class _Rhythm:
    """Bursts and pauses of call progress, told when it is clear what they are."""

    def __init__(self, tell: Callable[[Heard], None]) -> None:
        self._tell = tell
        self._on = False
        self._lasted = 0.0
        self._changing = 0
        self._bursts: deque[tuple[float, float]] = deque(maxlen=2)
        self._burst = 0.0
        self._said = False
        self._anything = False

    def hear(self, on: bool) -> None:
        """One block: a progress tone, or none."""
        self._lasted += SECONDS
        if on is not self._on:
            self._changing += 1
            if self._changing == _SETTLED:
                self._turn(on)
        else:
            self._changing = 0
        self._judge()

    def _turn(self, on: bool) -> None:
        lasted = self._lasted - _SETTLED * SECONDS
        if on:
            self._bursts.append((self._burst, lasted))
            if len(self._bursts) == 2 and all(map(_is_busy, self._bursts)):
                self._tell(Heard.BUSY)
        else:
            self._burst = lasted
        self._on, self._lasted, self._changing, self._said = on, _SETTLED * SECONDS, 0, False
        self._anything = True

    def _judge(self) -> None:
        lasted = self._lasted
        if self._said:
            return
        if self._on and lasted >= DIAL_TONE_SECONDS:
            self._said = True
            self._tell(Heard.DIAL_TONE)
        elif not self._on and self._burst and lasted >= RING_PAUSE_SECONDS:
            self._burst = 0.0
            self._tell(Heard.RING_BACK)
        elif not self._on and self._anything and lasted >= QUIET_SECONDS:
            self._said = True
            self._tell(Heard.QUIET)


def _is_busy(burst: tuple[float, float]) -> bool:
    low, high = BUSY_SECONDS
    return all(low <= part <= high for part in burst) and 0.6 < burst[0] / burst[1] < 1.67


class _Steady:
    """A tone that has to last."""

    def __init__(self, what: Heard, tell: Callable[[Heard], None]) -> None:
        self._what = what
        self._tell = tell
        self._lasted = 0.0

    def hear(self, on: bool) -> None:
        self._lasted = self._lasted + SECONDS if on else 0.0
        if ANSWER_SECONDS <= self._lasted < ANSWER_SECONDS + SECONDS:
            self._tell(self._what)


class Listener:
    """Blocks in; ``tell`` is called with what they turn out to be."""

    def __init__(self, tell: Callable[[Heard], None]) -> None:
        self._rhythm = _Rhythm(tell)
        self._answer = _Steady(Heard.ANSWER_TONE, tell)
        self._bell = _Steady(Heard.BELL_TONE, tell)

    def hear(self, sound: Coded) -> None:
        """One block."""
        there = level(sound) > FAINT_DBM0
        power = np.abs(np.fft.rfft(sound * _WINDOW)) ** 2 if there else np.zeros(len(_HERTZ))
        whole = float(power[_VOICE].sum()) or 1.0
        self._rhythm.hear(there and float(power[_PROGRESS].sum()) > 0.6 * whole)
        self._answer.hear(there and float(power[_ANSWER].sum()) > 0.7 * whole)
        self._bell.hear(there and float(power[_BELL].sum()) > 0.7 * whole)
