"""The sounds that an exchange makes (North America's, ITU-T E.180 supplement 2), and somebody who says hello."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.drivers.sound.samples import RATE, Sound, amplitude, silence


@dataclass(frozen=True)
class Signal:
    """Tones at ``hertz``, each at ``level`` in dBm0, for ``on`` seconds and then nothing for ``off``, for ever; without
    ``off`` the tone goes on. ``once``: only the first burst."""

    hertz: tuple[float, ...]
    level: float
    on: float = math.inf
    off: float = 0.0
    once: bool = False


DIAL_TONE = Signal((350, 440), -13)
BUSY = Signal((480, 620), -24, 0.5, 0.5)
REORDER = Signal((480, 620), -24, 0.25, 0.25)


def ring_back(seconds: float) -> Signal:
    """One burst, as long as one ring."""
    return Signal((440, 480), -19, seconds, once=True)


def pause(seconds: float) -> Signal:
    """Nothing, for so long."""
    return Signal((), 0.0, seconds, once=True)


NOT_IN_SERVICE = tuple(Signal((hertz,), -24, 0.33, once=True) for hertz in (913.8, 1370.6, 1776.7))
"""Special information tones, one behind the other, of a number that is not to be had (ITU-T E.180 §9)."""
HELLO = tuple(Signal((hertz, 2.2 * hertz, 8 * hertz), -25, 0.14, once=True) for hertz in (210, 250, 190))
"""About what a voice is to a modem: low, changing, short, and no answer tone."""


class Player:
    """Makes the sound of signals, one behind the other; silence behind the last."""

    def __init__(self) -> None:
        self._signals: list[Signal] = []
        self._sample = 0

    def play(self, *signals: Signal) -> None:
        """These, from the next block on, instead of whatever it plays."""
        self._signals = list(signals)
        self._sample = 0

    def next(self, count: int) -> Sound:
        """The next ``count`` samples."""
        if not self._signals:
            return silence(count)
        signal = self._signals[0]
        seconds = (np.arange(count) + self._sample) / RATE
        self._sample += count
        sound = sum((np.sin(2 * math.pi * hertz * seconds) for hertz in signal.hertz), np.zeros(count))
        within = seconds if math.isinf(signal.on) or signal.once else seconds % (signal.on + signal.off)
        if signal.once and self._sample / RATE >= signal.on:
            self._signals.pop(0)
            self._sample = 0
        return (amplitude(signal.level) * sound * (within < signal.on)).astype(np.float32)
