"""A figure, its target, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing. ``reached`` None: there is no target for it, it is told for its own sake."""

    name: str
    measured: str
    peer: str
    target: str
    reached: bool | None


def spread(values: Sequence[float], unit: str, scale: float = 1.0) -> str:
    """Median and range, as one column."""
    low, middle, high = (scale * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.3g} {unit} ({low:.3g}-{high:.3g}, n={len(values)})"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table of plain text."""
    rows = [("figure", "measured", "peer, same run", "target", "")]
    words = {True: "reached", False: "MISSED", None: ""}
    rows += [(one.name, one.measured, one.peer, one.target, words[one.reached]) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
