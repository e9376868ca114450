"""A report card as a page: a curve for each impairment, with the bounds within which the true share is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig.report import templates
from rig.report.chart import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, path
from rig.verdict.qualification import Curve, QualifyVerdict

PAGE, CALLS = "report.html", "qualification.json"


@dataclass(frozen=True)
class Plot:
    """Where the points of a curve are: strengths evenly from left to right, shares upwards."""

    curve: Curve

    def x(self, number: int) -> float:
        return LEFT + (WIDTH - LEFT - 20) * (number + 0.5) / len(self.curve.points)

    def y(self, share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    @property
    def connected(self) -> str:
        """How many connect, as an SVG path."""
        return path([(self.x(number), self.y(point.connected.value)) for number, point in enumerate(self.curve.points)])

    @property
    def whole(self) -> str:
        """How much comes as it was sent, of those that connect."""
        return path(
            [
                (self.x(number), self.y(point.whole))
                for number, point in enumerate(self.curve.points)
                if point.connected.value > 0
            ]
        )

    @property
    def band(self) -> str:
        """The bounds of how many connect."""
        points = list(enumerate(self.curve.points))
        upper = [(self.x(number), self.y(point.connected.high)) for number, point in points]
        return path(upper + [(self.x(number), self.y(point.connected.low)) for number, point in reversed(points)]) + "Z"


def write(folder: Path, verdict: QualifyVerdict) -> Path:
    """The page, and the calls as JSON; the page's path."""
    page = templates.environment().get_template("qualification.html.j2").render(
        verdict=verdict, style=templates.style(), plots=[Plot(curve) for curve in verdict.curves],
        width=WIDTH, height=HEIGHT, left=LEFT, floor=HEIGHT - BOTTOM, top=TOP,
    )  # fmt: skip
    (folder / CALLS).write_bytes(msgspec.json.encode(verdict))
    (folder / PAGE).write_text(page)
    return folder / PAGE
