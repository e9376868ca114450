"""+++ with silence around it: Hayes' guard time, which tells an escape from three plus signs in data."""

from __future__ import annotations

COUNT = 3


class EscapeGuard:
    """Follows the data from the terminal. Times in seconds."""

    def __init__(self) -> None:
        self._last = 0.0
        self._count = 0

    def restart(self, now: float) -> None:
        """The data state begins; the silence before the first escape character counts from here."""
        self._last = now
        self._count = 0

    def feed(self, data: bytes, now: float, character: int, guard: float) -> bool:
        """Whether silence from now on, for ``guard``, makes what was sent an escape."""
        silence = now - self._last
        self._last = now
        only_escapes = character <= 127 and len(data) <= COUNT and data.count(character) == len(data)
        if not only_escapes or self._count + len(data) > COUNT:
            self._count = 0
        elif self._count == 0:
            self._count = len(data) if silence >= guard else 0
        else:
            self._count = self._count + len(data) if silence <= max(guard, 0.02) else 0
        return self._count == COUNT
