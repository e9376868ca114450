"""Telephone sound as numbers: 8,000 samples a second, in blocks of 20 ms, and its level in dBm0.

A sample's unit is the least step of 16 bits. 0 dBm0 is 1 mW at a point of relative level 0; the largest sine that a
telephone network's coding carries has 3.14 dBm0 (ITU-T G.711 §4, A-law), and is one of 32,767 here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second."""
BLOCK = 160
"""Samples in one block, which are 20 ms: what passes at a time."""
SECONDS = BLOCK / RATE
LARGEST = 32767
LARGEST_DBM0 = 3.14
SILENT_DBM0 = -100.0
"""What a meter shows where there is nothing at all."""

Sound = NDArray[np.float32]
"""Samples between equipment: one dimension."""
Coded = NDArray[np.int16]
"""Samples as a converter has them."""


def amplitude(dbm0: float) -> float:
    """The peak of a sine of that level."""
    return LARGEST * 10 ** ((dbm0 - LARGEST_DBM0) / 20)


def root_mean_square(dbm0: float) -> float:
    """Of any signal of that level; of noise, its standard deviation."""
    return amplitude(dbm0) / math.sqrt(2)


def level(sound: NDArray[Any]) -> float:
    """The level of a stretch of samples in dBm0."""
    power = float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
    return 10 * math.log10(power / root_mean_square(0) ** 2) if power > 1e-12 else SILENT_DBM0


def gain(decibels: float) -> float:
    """By what samples are multiplied for so many dB more."""
    return float(10 ** (decibels / 20))


def silence(count: int = BLOCK) -> Sound:
    return np.zeros(count, np.float32)


def coded(sound: Sound) -> Coded:
    """As a converter takes it: rounded, and clipped where it is too loud."""
    return np.clip(np.rint(sound), -LARGEST - 1, LARGEST).astype(np.int16)
