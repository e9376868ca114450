"""A figure, its target, and its peer in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Against(msgspec.Struct, frozen=True):
    """A peer that did the same, in the same run. ``times``: as how many times as fast as the peer the rig was, one for
    each pair of runs; below 1 where it was slower."""

    peer: str
    measured: str
    times: tuple[float, ...]

    @property
    def words(self) -> str:
        low, middle, high = min(self.times), statistics.median(self.times), max(self.times)
        how = "as fast" if middle >= 1 else "as fast, which is SLOWER"
        return f"{self.peer} {self.measured}; ours {middle:.3g} times ({low:.3g}-{high:.3g}, n={len(self.times)}) {how}"


class Figure(msgspec.Struct, frozen=True):
    """One measured thing. ``reached`` None: there is no target for it, it is told for its own sake. ``note``: what else
    the reader must know of the measuring."""

    name: str
    measured: str
    note: str
    target: str
    reached: bool | None
    against: Against | None = None

    @property
    def peer(self) -> str:
        return notes(self.against.words if self.against else "", self.note)


def notes(*said: str) -> str:
    """Those that say anything, as one."""
    return "; ".join(filter(None, said))


def spread(values: Sequence[float], unit: str, scale: float = 1.0) -> str:
    """Median and range, as one column."""
    low, middle, high = (scale * value for value in (min(values), statistics.median(values), max(values)))
    return f"{_digits(middle)} {unit} ({_digits(low)}-{_digits(high)}, n={len(values)})"


def _digits(value: float) -> str:
    """Three that count, and no power of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def in_time(peer: str, ours: Sequence[float], theirs: Sequence[float], unit: str = "s", scale: float = 1.0) -> Against:
    """Against a peer by durations, in pairs as far as both go."""
    return Against(peer, spread(theirs, unit, scale), tuple(t / o for o, t in zip(ours, theirs, strict=False)))


def in_rate(peer: str, ours: Sequence[float], theirs: Sequence[float], unit: str, scale: float = 1.0) -> Against:
    """Against a peer by rates, where more is better."""
    return Against(peer, spread(theirs, unit, scale), tuple(o / t for o, t in zip(ours, theirs, strict=False)))


def shortfall(against: Against, wanted: float, why: str) -> str:
    """For a note: by how much a typical pair falls short of so many times as fast, and why; else nothing."""
    return under(statistics.median(against.times), wanted, why)


def over(value: float, most: float, why: str) -> str:
    """For a note: by how much a value is more than was wanted, and why; else nothing."""
    return "" if value <= most else f"{value / most - 1:.0%} more than the target: {why}"


def under(value: float, least: float, why: str) -> str:
    """The same of one that is less."""
    return "" if value >= least else f"{1 - value / least:.0%} less than the target: {why}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table of plain text."""
    rows = [("figure", "measured", "peer, same run", "target", "")]
    words = {True: "reached", False: "MISSED", None: ""}
    rows += [(one.name, one.measured, one.peer, one.target, words[one.reached]) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
