"""How good a signal is: how far the points that a receiver finds are from those which it takes them for."""

from __future__ import annotations

import math
from collections import deque

SYMBOLS_PER_SECOND = 600
POOR = {2400: 0.25, 1200: 1.25}
"""Mean square of the distance, where the points of V.22bis are 2 apart and those of V.22 4.5: some three symbols of a
thousand are wrong."""
POOR_SECONDS = 2.0
"""For so long it is poor before anything is done."""
AGAIN_SECONDS = 30.0
"""A signal that is poor again within so long is no better for having been trained on."""
_MEAN_OF = 300


class Quality:
    """Of one training and what follows. ``before``: what it was until then."""

    def __init__(self, before: Quality | None = None) -> None:
        self.points: deque[complex] = deque(maxlen=SYMBOLS_PER_SECOND)
        self.error = 0.0
        self._symbols = self._poor_for = 0
        self._rate = max(POOR)
        self.again = before is not None and before.poor

    def take(self, got: complex, meant: complex) -> None:
        """A point, and what it was taken for."""
        self.points.append(got)
        self._symbols += 1
        self.error += (abs(got - meant) ** 2 - self.error) / _MEAN_OF
        self._poor_for = self._poor_for + 1 if self.error > POOR[self._rate] else 0
        if self._symbols > AGAIN_SECONDS * SYMBOLS_PER_SECOND:
            self.again = False

    def began(self, rate: int) -> None:
        """The training has come to ``rate`` bit/s, and what was received in it does not count."""
        self._rate = rate
        self.error = 0.0
        self._poor_for = 0

    @property
    def constellation(self) -> list[tuple[float, float]]:
        """The points of the last second, each (in phase, quadrature), by size: in their order they would be what was
        said, password and all."""
        return sorted((round(point.real, 3), round(point.imag, 3)) for point in self.points)

    @property
    def lost(self) -> bool:
        """Whether the receiver has no points any more: libspandsp 0.0.6's equalizer does not come back from what is no
        number, to which much noise before a training leads it."""
        return math.isnan(self.error)

    @property
    def poor(self) -> bool:
        return self._poor_for > POOR_SECONDS * SYMBOLS_PER_SECOND
