"""What is wrong with a line that carries sound: ITU-T V.56's impairments, and a hybrid's echoes, as a bench has them.

Levels are in dBm0, ratios in dB, times in milliseconds, and what comes at random moments so often a minute. Both
directions of a line have them, each with chances of its own.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from rig.drivers.base.tables import Table

Decibels = Annotated[float, Meta(ge=0, le=100)]
Level = Annotated[float, Meta(ge=-100, le=3)]
Hertz = Annotated[float, Meta(ge=0, le=4000)]
Milliseconds = Annotated[float, Meta(ge=0, le=10_000)]
Often = Annotated[float, Meta(ge=0, le=3000)]
"""A minute; a block of 20 ms has one at most."""


class Hits(Table, frozen=True):
    """A change that comes ``per_minute`` and lasts ``milliseconds``; ``size`` in dB, or in degrees of a phase's."""

    per_minute: Often = 0.0
    size: Annotated[float, Meta(ge=-360, le=360)] = 0.0
    milliseconds: Milliseconds = 20.0


class Interruptions(Table, frozen=True):
    """Nothing passes ``per_minute``, for ``milliseconds``."""

    per_minute: Often = 0.0
    milliseconds: Milliseconds = 20.0


class Jitter(Table, frozen=True):
    """Phase jitter: ``degrees`` from peak to peak, at ``hertz``."""

    degrees: Annotated[float, Meta(ge=0, le=360)] = 0.0
    hertz: Hertz = 60.0


class Harmonics(Table, frozen=True):
    """How far below a tone of -12 dBm0 its ``second`` and ``third`` harmonic are, in dB."""

    second: Decibels = 0.0
    third: Decibels = 0.0


class Echo(Table, frozen=True):
    """How far below its origin an echo is, and by how much later; 0 dB: there is none."""

    below: Decibels = 0.0
    milliseconds: Milliseconds = 0.0


class Tone(Table, frozen=True):
    """A tone that is always there."""

    hertz: Hertz = 0.0
    level: Level = -40.0


class Impulses(Table, frozen=True):
    """Clicks ``per_minute``, of 1 ms, whose peak is that of a tone of ``level``."""

    per_minute: Often = 0.0
    level: Level = -10.0


class Impairments(Table, frozen=True):
    """A line's. What is 0, or left out, it does not have.

    ``attenuation``: loss at every frequency; ``attenuation_distortion``: how much more is lost at 300 and 3,000 Hz
    than at 1,020 Hz, between which the loss grows with the distance's square; ``group_delay``: how many milliseconds
    later 600 and 3,000 Hz come than 1,800 Hz, likewise; ``frequency_shift`` in Hz; ``gain_hits``: sudden attenuation
    by ``size``; ``interruptions``; ``phase_hits``; ``phase_jitter``; ``harmonics``; ``listener_echo``: what was
    reflected twice, and is heard again; ``noise``: white, its level over the whole 4 kHz, or 0; ``impulses``;
    ``tone``. Of the hybrids at both ends: ``near_echo`` of what one sends, ``far_echo`` likewise from the far end;
    ``delay`` each way.
    """

    attenuation: Decibels = 0.0
    attenuation_distortion: Decibels = 0.0
    group_delay: Annotated[float, Meta(ge=0, le=10)] = 0.0
    frequency_shift: Annotated[float, Meta(ge=-500, le=500)] = 0.0
    gain_hits: Hits = Hits()
    interruptions: Interruptions = Interruptions()
    phase_hits: Hits = Hits()
    phase_jitter: Jitter = Jitter()
    harmonics: Harmonics = Harmonics()
    listener_echo: Echo = Echo()
    noise: Level = 0.0
    impulses: Impulses = Impulses()
    tone: Tone = Tone()
    near_echo: Echo = Echo()
    far_echo: Echo = Echo()
    delay: Milliseconds = 0.0
