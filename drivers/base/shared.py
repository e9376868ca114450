"""What several need at once: made for the first of them, there while anybody has it, taken away after the last."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Shared:
    """``make`` makes it, and on leaving takes it away. From several threads, too: who is second waits for the first."""

    def __init__(self, make: Callable[[], contextlib.AbstractContextManager[object]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._held = 0
        self._there = contextlib.ExitStack()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Have it there. Raises what making it raises, and then nobody has it."""
        with self._lock:
            if not self._held:
                self._there.enter_context(self._make())
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                if not self._held:
                    self._there.close()
