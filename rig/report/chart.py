"""Numbers as pictures, in SVG that takes its colours from the page."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rig.drivers.base.line_rate import BITS_A_BYTE

WIDTH, HEIGHT = 720, 180
LEFT, BOTTOM, TOP = 64, 24, 12
BINS = 120
SHORTEST_BIN = 1.0
"""Seconds; a line's record has times to a tenth, so that shorter ones would show its grain."""


def path(points: Iterable[tuple[float, float]]) -> str:
    """A line through points, as an SVG path; none through none."""
    joined = " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{joined}" if joined else ""


@dataclass(frozen=True)
class Carried:
    """So many bytes, at a time in seconds since 1970; ``sent`` by the near end, or to it."""

    time: float
    sent: bool
    octets: int


@dataclass(frozen=True)
class Throughput:
    """Bytes a second over time. ``step`` in seconds; ``limit``: what the line could carry, 0 where nobody knows;
    ``marks``: moments to be shown, in seconds from the beginning."""

    step: float
    out: tuple[float, ...]
    into: tuple[float, ...]
    limit: float
    marks: tuple[float, ...] = ()

    @functools.cached_property
    def top(self) -> float:
        return max(*self.out, *self.into, self.limit, 1.0)

    def path(self, values: Sequence[float]) -> str:
        """A step line, as an SVG path."""
        points, width = [], (WIDTH - LEFT) / len(values)
        for number, value in enumerate(values):
            y = self.height(value)
            points += [(LEFT + number * width, y), (LEFT + (number + 1) * width, y)]
        return path(points)

    def height(self, value: float) -> float:
        """Where a value is, from the top of the picture."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)

    def x(self, mark: float) -> float:
        """Where a moment is, from the left."""
        return LEFT + (WIDTH - LEFT) * mark / self.seconds

    @property
    def seconds(self) -> float:
        return self.step * len(self.out)


def throughput(carried: Sequence[Carried], rate: int, marks: Sequence[float] = ()) -> Throughput | None:
    """From what a line carried; None where that is nothing. ``rate`` of the line in bit/s; ``marks``: seconds since
    1970."""
    if not carried:
        return None
    began = carried[0].time
    span = max(carried[-1].time - began, SHORTEST_BIN)
    step = max(SHORTEST_BIN, span / BINS)
    bins = math.floor(span / step) + 1
    counted = {True: [0.0] * bins, False: [0.0] * bins}
    for one in carried:
        place = min(bins - 1, max(0, math.floor((one.time - began) / step)))
        counted[one.sent][place] += one.octets / step
    shown = tuple(mark - began for mark in marks if began <= mark <= began + bins * step)
    return Throughput(step, tuple(counted[True]), tuple(counted[False]), rate / BITS_A_BYTE, shown)


@dataclass(frozen=True)
class Dot:
    """A call of a soak: its number, the seconds that all of it took, and how it ended."""

    number: int
    seconds: float
    outcome: str


@dataclass(frozen=True)
class Dots:
    """Calls side by side. ``top`` in seconds."""

    dots: tuple[Dot, ...]
    top: float

    def x(self, dot: Dot) -> float:
        return LEFT + (WIDTH - LEFT - 8) * (dot.number + 0.5) / max(1, len(self.dots))

    def y(self, dot: Dot) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - dot.seconds / self.top)


def dots(calls: Iterable[tuple[float, str]]) -> Dots:
    """From seconds and outcome of each call."""
    made = tuple(Dot(number, seconds, outcome) for number, (seconds, outcome) in enumerate(calls))
    return Dots(made, max([dot.seconds for dot in made], default=1.0) or 1.0)
