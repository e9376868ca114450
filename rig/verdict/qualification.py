"""What a modem bears: calls over a line that is impaired more and more, and the strength at which they fail."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from rig.verdict import intervals
from rig.verdict.intervals import Interval

ENOUGH = 0.9
"""Of the calls have to connect for a strength to be borne; and of the characters to come as they were sent."""


class QualifyCall(msgspec.Struct, frozen=True):
    """One call. ``strength`` in the unit of its ``impairment``; ``result`` as the modem said it; ``rate`` in bit/s and
    ``seconds`` (of the line's time, from the last digit's command to CONNECT) of one that connected; ``whole``: the
    share of characters that came as they were sent, of both directions."""

    impairment: str
    strength: float
    result: str
    rate: int = 0
    seconds: float = 0.0
    whole: float = 0.0

    @property
    def connected(self) -> bool:
        return self.rate > 0


class Point(msgspec.Struct, frozen=True):
    """All calls at one strength. ``connected``: their share, with its bounds at 95 %; ``seconds`` and ``whole``:
    medians of those; ``rates``: which there were."""

    strength: float
    calls: int
    connected: Interval
    seconds: float
    whole: float
    rates: tuple[int, ...]

    @property
    def borne(self) -> bool:
        return self.connected.value >= ENOUGH and self.whole >= ENOUGH


class Curve(msgspec.Struct, frozen=True):
    """One impairment, from the weakest strength to the strongest. ``unit`` of its strengths."""

    impairment: str
    unit: str
    points: tuple[Point, ...]

    @property
    def limit(self) -> float | None:
        """The strongest that is borne, and all before it; None where the weakest is not."""
        borne = None
        for point in self.points:
            if not point.borne:
                break
            borne = point.strength
        return borne

    def line(self) -> str:
        """For a person."""
        if self.limit is None:
            return f"{self.impairment}: not even {self.points[0].strength:g} {self.unit}"
        beyond = "" if self.limit != self.points[-1].strength else ", the strongest that was tried"
        return f"{self.impairment}: up to {self.limit:g} {self.unit}{beyond}"


def point(calls: Sequence[QualifyCall]) -> Point:
    """Of calls at one strength, one at least."""
    good = [call for call in calls if call.connected]
    return Point(
        calls[0].strength,
        len(calls),
        intervals.share(len(good), len(calls)),
        statistics.median([call.seconds for call in good]) if good else 0.0,
        statistics.median([call.whole for call in good]) if good else 0.0,
        tuple(sorted({call.rate for call in good})),
    )


class QualifyVerdict(msgspec.Struct):
    """A report card. ``outcome`` OK where it was made: what a modem must bear is for its reader to say."""

    bench: str
    curves: list[Curve] = msgspec.field(default_factory=list)
    calls: list[QualifyCall] = msgspec.field(default_factory=list)
    outcome: str = "OK"
    exit: int = 0
