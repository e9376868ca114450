"""How sure a measured share, or a difference, is: intervals that hold the true value in so much of all repetitions.

Nothing of them assumes more than that one call does not know of another: shares are of yes and no, and times have
whatever distribution a telephone network gives them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

MOST_PAIRS = 1_000_000
"""Of two samples that are compared value by value; of larger ones so many evenly spaced ones stand for all."""


@dataclass(frozen=True)
class Interval:
    """An estimate, and the bounds within which the true value is."""

    low: float
    value: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def share(yes: int, count: int, level: float = 0.95) -> Interval:
    """The share of ``yes`` in ``count``, at least one: Wilson's score interval (1927), which is right near 0 and 1 and
    for few, where the textbook's has no width."""
    z, measured = _z(level), yes / count
    middle = measured + z * z / (2 * count)
    half = z * math.sqrt(measured * (1 - measured) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return Interval(max(0.0, (middle - half) / scale), measured, min(1.0, (middle + half) / scale))


def share_difference(one: tuple[int, int], other: tuple[int, int], level: float = 0.95) -> Interval:
    """By how much the other's share is larger than the one's, each as (yes, count): Newcombe's hybrid score interval
    (Statistics in Medicine 17, 1998, method 10)."""
    first, second = share(*one, level), share(*other, level)
    difference = second.value - first.value
    low = difference - math.hypot(second.value - second.low, first.high - first.value)
    high = difference + math.hypot(second.high - second.value, first.value - first.low)
    return Interval(low, difference, high)


def shift(one: Sequence[float], other: Sequence[float], level: float = 0.95) -> Interval | None:
    """By how much the other's values are larger than the one's: the median of all differences, and an interval of
    Mann and Whitney's statistic (Hodges and Lehmann, 1963), which one wild value does not move. None where there are
    too few values for any bounds."""
    count, beside = len(one), len(other)
    pairs = count * beside
    outside = pairs / 2 - _z(level) * math.sqrt(pairs * (count + beside + 1) / 12)
    if outside < 1:
        return None
    ours, theirs = _standing_for(one), _standing_for(other)
    differences = sorted(theirs_one - our for our in ours for theirs_one in theirs)
    last = len(differences) - 1
    place = min(last // 2, max(0, math.floor(outside / pairs * len(differences)) - 1))  # the first is 0
    middle = (differences[last // 2] + differences[(last + 1) // 2]) / 2
    return Interval(differences[place], middle, differences[last - place])


def _standing_for(values: Sequence[float]) -> list[float]:
    ranked, most = sorted(values), math.isqrt(MOST_PAIRS)
    if len(ranked) <= most:
        return ranked
    return [ranked[(2 * place + 1) * len(ranked) // (2 * most)] for place in range(most)]
