"""Differences between benches as a picture: each with its bounds, beside a line for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.report.chart import WIDTH
from rig.verdict.soak import Difference

LEFT, ROW, TOP = 240, 26, 10
RIGHT = 200
"""For its words."""
COLOURS = {None: "var(--faint)", True: "var(--bad)", False: "var(--good)"}


@dataclass(frozen=True)
class Bar:
    """One difference: ``low``, ``value`` and ``high`` are where it is from the left, None where it has no bounds."""

    label: str
    words: str
    place: tuple[float, float, float] | None
    colour: str


@dataclass(frozen=True)
class Forest:
    """``middle``: where there is no difference, from the left."""

    bars: tuple[Bar, ...]
    middle: float

    @property
    def height(self) -> int:
        return 2 * TOP + ROW * len(self.bars)

    def y(self, number: int) -> float:
        """Where the row of that number is, from the top."""
        return TOP + ROW * (number + 0.5)


def forest(differences: Sequence[Difference]) -> Forest:
    """Those of one kind are drawn to one scale, which is as wide as the widest of them."""
    half = (WIDTH - LEFT - RIGHT) / 2
    widest: dict[str, float] = {}
    for one in differences:
        widest[one.what] = max([widest.get(one.what, 0.0), *(abs(bound) for bound in one.bounds or ())])
    bars = []
    for one in differences:
        scale = half / (widest[one.what] or 1.0)
        low, value, high = (LEFT + half + scale * bound for bound in one.bounds or (0.0, 0.0, 0.0))
        words = "too few calls" if one.bounds is None else f"{one.bounds[1]:+.3g} {one.unit}"
        place = (low, value, high) if one.bounds else None
        bars.append(Bar(f"{one.arm}: {one.what}", words, place, COLOURS[one.worse]))
    return Forest(tuple(bars), LEFT + half)
