"""Numbers as pictures, in SVG that takes its colours from the page."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.ppp.line_record import Chunk

WIDTH, HEIGHT = 720, 180
LEFT, BOTTOM, TOP = 64, 24, 12
BINS = 120
SHORTEST_BIN = 1.0
"""Seconds; a line's record has times to a tenth, so that shorter ones would show its grain."""
BITS_A_BYTE = 10
"""On an asynchronous line: start, eight bits, stop."""


@dataclass(frozen=True)
class Throughput:
    """Bytes a second over time. ``step`` in seconds; ``limit``: what the line could carry, 0 where nobody knows."""

    step: float
    out: tuple[float, ...]
    into: tuple[float, ...]
    limit: float

    @functools.cached_property
    def top(self) -> float:
        return max(*self.out, *self.into, self.limit, 1.0)

    def path(self, values: Sequence[float]) -> str:
        """A step line, as an SVG path."""
        points, width = [], (WIDTH - LEFT) / len(values)
        for number, value in enumerate(values):
            y = self.height(value)
            points += [f"{LEFT + number * width:.1f},{y:.1f}", f"{LEFT + (number + 1) * width:.1f},{y:.1f}"]
        return "M" + " L".join(points)

    def height(self, value: float) -> float:
        """Where a value is, from the top of the picture."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)

    @property
    def seconds(self) -> float:
        return self.step * len(self.out)


def throughput(chunks: Sequence[Chunk], rate: int) -> Throughput | None:
    """From the bytes of a line; None where there are none. ``rate`` of the line in bit/s."""
    if not chunks:
        return None
    began = chunks[0].time
    span = max(chunks[-1].time - began, SHORTEST_BIN)
    step = max(SHORTEST_BIN, span / BINS)
    bins = math.floor(span / step) + 1
    counted = {True: [0.0] * bins, False: [0.0] * bins}
    for chunk in chunks:
        place = min(bins - 1, max(0, math.floor((chunk.time - began) / step)))
        counted[chunk.sent][place] += len(chunk.data) / step
    return Throughput(step, tuple(counted[True]), tuple(counted[False]), rate / BITS_A_BYTE)


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
