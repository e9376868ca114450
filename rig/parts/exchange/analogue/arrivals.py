"""How many bytes have come to an end of a call, and what is to be done when so many have."""

from __future__ import annotations

from collections.abc import Callable


class Arrivals:
    """``received``: in the call that is, or was last."""

    def __init__(self) -> None:
        self.received = 0
        self._then: tuple[int, Callable[[], None]] | None = None

    def restart(self) -> None:
        """Another call."""
        self.received = 0
        self._then = None

    def after(self, count: int, then: Callable[[], None]) -> None:
        """Call ``then`` once ``count`` bytes more have come in this call."""
        self._then = (self.received + count, then)

    def take(self, data: bytes) -> None:
        """They have come."""
        self.received += len(data)
        if self._then is not None and self.received >= self._then[0]:
            then, self._then = self._then[1], None
            then()
