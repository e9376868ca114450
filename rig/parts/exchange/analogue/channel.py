"""One direction of a line: what is sent, as it arrives.

Each stage takes a block and gives one of the same length, and keeps what of it the next block needs. Filters are
designed in the frequency domain; the time that they take by themselves is part of the line's delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rig.drivers.sound.impairments import Echo, Hits, Impairments
from rig.drivers.sound.samples import RATE, Sound, amplitude, gain, root_mean_square, silence

NOMINAL_DBM0 = -12.0
"""A modem's level on a line, at which harmonics are said."""
TAPS = 257
_GRID = 2048
_CLICK = 8
"""Samples: 1 ms."""

Stage = Callable[[Sound], Sound]


class Filter:
    """A finite impulse response; it delays by half of its length."""

    def __init__(self, taps: Sound) -> None:
        self._taps = taps.astype(np.float32)
        self._past = silence(len(taps) - 1)

    def __call__(self, sound: Sound) -> Sound:
        whole = np.concatenate((self._past, sound))
        self._past = whole[len(whole) - len(self._past) :]
        return np.convolve(whole, self._taps, "valid")


class Delay:
    """So many samples later."""

    def __init__(self, samples: int) -> None:
        self._past = silence(samples)

    def __call__(self, sound: Sound) -> Sound:
        whole = np.concatenate((self._past, sound))
        self._past = whole[len(sound) :]
        return whole[: len(sound)]


def shape(distortion: float, group_delay: float) -> Sound:
    """The taps of a line whose loss and delay differ with the frequency; see Impairments."""
    hertz = np.fft.rfftfreq(_GRID, 1 / RATE)
    span = np.where(hertz > 1020, 3000 - 1020, 1020 - 300)
    loss = distortion * np.minimum(((hertz - 1020) / span) ** 2, 4.0)  # beyond the band it need not go on for ever
    lag = group_delay / 1000 * np.minimum(((hertz - 1800) / 1200) ** 2, 2.25)
    phase = -2 * math.pi * np.cumsum(lag) * (hertz[1] - hertz[0])
    phase += 2 * math.pi * np.interp(1800, hertz, np.cumsum(lag) * (hertz[1] - hertz[0]))
    response = 10 ** (-loss / 20) * np.exp(1j * phase)
    taps = np.roll(np.fft.irfft(response, _GRID), TAPS // 2)[:TAPS]
    return (taps * np.kaiser(TAPS, 6)).astype(np.float32)


def _quadrature() -> Sound:
    """The taps of a Hilbert transformer: each frequency a quarter of a period later."""
    middle = TAPS // 2
    place = np.arange(TAPS) - middle
    taps = np.zeros(TAPS)
    odd = place % 2 != 0
    taps[odd] = 2 / (math.pi * place[odd])
    return (taps * np.hamming(TAPS)).astype(np.float32)


class Turning:
    """Frequency shift, phase jitter and phase hits: the phase of all that passes is turned."""

    def __init__(self, impairments: Impairments, phase: Steps) -> None:
        self._shift = impairments.frequency_shift
        self._jitter = impairments.phase_jitter
        self._hits = phase
        self._quadrature = Filter(_quadrature())
        self._in_phase = Delay(TAPS // 2)
        self._sample = 0

    def __call__(self, sound: Sound) -> Sound:
        seconds = (np.arange(len(sound)) + self._sample) / RATE
        self._sample += len(sound)
        turn = 2 * math.pi * self._shift * seconds
        if self._jitter.degrees:
            turn = turn + math.radians(self._jitter.degrees / 2) * np.sin(2 * math.pi * self._jitter.hertz * seconds)
        turn = turn + np.radians(self._hits(len(sound)))
        turned = self._in_phase(sound) * np.cos(turn) - self._quadrature(sound) * np.sin(turn)
        return turned.astype(np.float32)


class Steps:
    """What is one value most of the time, and another for a while after a hit; ``now`` asks for one."""

    def __init__(self, hits: Hits, chance: np.random.Generator) -> None:
        self._hits = hits
        self._chance = chance
        self._left = 0
        self._size = 0.0

    def now(self, size: float, milliseconds: float) -> None:
        self._size, self._left = size, round(milliseconds * RATE / 1000)

    def __call__(self, count: int) -> Sound:
        """The next ``count`` values."""
        if self._hits.per_minute and self._chance.random() < self._hits.per_minute * count / RATE / 60:
            self.now(self._hits.size, self._hits.milliseconds)
        values = silence(count)
        if self._left:
            values[: self._left] = self._size
            self._left = max(0, self._left - count)
        return values


class Bent:
    """Harmonics, of a nominal level's tone as far below it as is asked: a curve of the third degree."""

    def __init__(self, second: float, third: float) -> None:
        peak = amplitude(NOMINAL_DBM0)
        cube = gain(-third) / (1 + 3 * gain(-third)) if third else 0.0  # which makes the tone itself less by its triple
        self._second = 2 * gain(-second) * (1 - 3 * cube) / peak if second else 0.0
        self._third = 4 * cube / peak**2
        self._mean = 0.0

    def __call__(self, sound: Sound) -> Sound:
        square = sound * sound
        self._mean += 0.05 * (float(square.mean()) - self._mean)  # no line carries what does not change
        bent: Sound = sound + self._second * (square - self._mean) - self._third * square * sound
        return bent


class Echoing:
    """What passes, and again later."""

    def __init__(self, echo: Echo) -> None:
        self._gain = gain(-echo.below)
        self._later = Delay(round(echo.milliseconds * RATE / 1000))

    def __call__(self, sound: Sound) -> Sound:
        return sound + self._gain * self._later(sound)


class Added:
    """What a line has of its own: noise, a tone, clicks."""

    def __init__(self, impairments: Impairments, chance: np.random.Generator) -> None:
        self._chance = chance
        self._noise = root_mean_square(impairments.noise) if impairments.noise else 0.0
        self._tone = impairments.tone
        self._peak = amplitude(impairments.tone.level)
        self._impulses = impairments.impulses
        self._sample = 0
        self._clicks: list[float] = []

    def click(self, level: float) -> None:
        """One, with the next block."""
        self._clicks.append(amplitude(level))

    def __call__(self, sound: Sound) -> Sound:
        count = len(sound)
        if self._noise:
            sound = sound + self._noise * self._chance.standard_normal(count, np.float32)
        if self._tone.hertz:
            seconds = (np.arange(count) + self._sample) / RATE
            sound = sound + (self._peak * np.sin(2 * math.pi * self._tone.hertz * seconds)).astype(np.float32)
        self._sample += count
        if self._impulses.per_minute and self._chance.random() < self._impulses.per_minute * count / RATE / 60:
            self.click(self._impulses.level)
        for peak in self._clicks:
            sound = sound.copy()
            at = int(self._chance.integers(count - _CLICK)) if count > _CLICK else 0
            sound[at : at + _CLICK] += peak * np.exp(-np.arange(_CLICK) / 3) * np.array([1, -1] * (_CLICK // 2))
        self._clicks.clear()
        return sound


class Channel:
    """From one end to the other. ``seed``: the chances of what comes at random."""

    def __init__(self, impairments: Impairments, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self.change(impairments)

    def change(self, impairments: Impairments) -> None:
        """Other impairments, from now on."""
        self.impairments = impairments
        self._level = Steps(impairments.gain_hits, self._chance)
        cuts = impairments.interruptions
        self._cut = Steps(Hits(per_minute=cuts.per_minute, size=1.0, milliseconds=cuts.milliseconds), self._chance)
        self._phase = Steps(impairments.phase_hits, self._chance)
        self._added = Added(impairments, self._chance)
        self._stages = self._made(impairments)

    def gain_hit(self, decibels: float, milliseconds: float) -> None:
        """So much attenuation more, for a while."""
        self._level.now(decibels, milliseconds)

    def interrupt(self, milliseconds: float) -> None:
        """Nothing of what is sent arrives, for a while."""
        self._cut.now(1.0, milliseconds)

    def phase_hit(self, degrees: float, milliseconds: float) -> None:
        """Raises ValueError where the line has nothing by which a phase is turned: that delays all that passes, and
        cannot come into it unnoticed."""
        if not any(isinstance(stage, Turning) for stage in self._stages):
            raise ValueError("this line turns no phases; give it phase-hits with a size, and per-minute = 0")
        self._phase.now(degrees, milliseconds)

    def click(self, level: float) -> None:
        self._added.click(level)

    def carry(self, sound: Sound) -> Sound:
        """A block, as it arrives."""
        for stage in self._stages:
            sound = stage(sound)
        return sound

    def _made(self, wrong: Impairments) -> list[Stage]:
        stages: list[Stage] = []
        if wrong.harmonics.second or wrong.harmonics.third:
            stages.append(Bent(wrong.harmonics.second, wrong.harmonics.third))
        if wrong.attenuation_distortion or wrong.group_delay:
            stages.append(Filter(shape(wrong.attenuation_distortion, wrong.group_delay)))
        if wrong.frequency_shift or wrong.phase_jitter.degrees or wrong.phase_hits.size:
            stages.append(Turning(wrong, self._phase))
        stages.append(self._attenuated)
        if wrong.listener_echo.below:
            stages.append(Echoing(wrong.listener_echo))
        if wrong.delay:
            stages.append(Delay(round(wrong.delay * RATE / 1000)))
        stages.append(self._added)
        return stages

    def _attenuated(self, sound: Sound) -> Sound:
        decibels = self.impairments.attenuation + self._level(len(sound))
        return (sound * 10 ** (-decibels / 20) * (1 - self._cut(len(sound)))).astype(np.float32)


class Path:
    """Both directions between two ends, and the hybrids at them."""

    def __init__(self, impairments: Impairments, seed: int) -> None:
        self.there = Channel(impairments, 2 * seed)
        self.back = Channel(impairments, 2 * seed + 1)
        self.channels = (self.there, self.back)
        self.change(impairments)

    def change(self, impairments: Impairments) -> None:
        """Other impairments, from now on."""
        self.impairments = impairments
        self.there.change(impairments)
        self.back.change(impairments)
        self._near = [Delay(round(impairments.near_echo.milliseconds * RATE / 1000)) for _ in range(2)]
        self._far = [Delay(round(impairments.far_echo.milliseconds * RATE / 1000)) for _ in range(2)]
        self._arrived = [silence(), silence()]

    def carry(self, one: Sound, other: Sound) -> tuple[Sound, Sound]:
        """What either end sends; what comes to either, in the same order."""
        wrong = self.impairments
        to_other = self.there.carry(self._reflected(one, 0))
        to_one = self.back.carry(self._reflected(other, 1))
        self._arrived = [to_one, to_other]
        if wrong.near_echo.below:
            to_one = to_one + gain(-wrong.near_echo.below) * self._near[0](one)
            to_other = to_other + gain(-wrong.near_echo.below) * self._near[1](other)
        return to_one, to_other

    def _reflected(self, sound: Sound, end: int) -> Sound:
        """What goes into the line at an end: what is sent there, and what of the arrived comes back."""
        echo = self.impairments.far_echo
        return sound + gain(-echo.below) * self._far[end](self._arrived[end]) if echo.below else sound
