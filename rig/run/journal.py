"""What a far end's process logs, for whoever asks after it by its control socket."""

from __future__ import annotations

import collections
import logging
import threading

KEPT = 5000
LONGEST_WAIT = 5.0
"""Seconds; less than a question may take (control.ANSWER_SECONDS)."""


class Journal(logging.Handler):
    """Keeps the last lines of one logger; those of loggers below it are details."""

    def __init__(self, logger: str) -> None:
        super().__init__()
        self._logger = logger
        self._lines: collections.deque[tuple[bool, str]] = collections.deque(maxlen=KEPT)
        self._count = 0
        self._more = threading.Condition()
        logging.getLogger(logger).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        with self._more:
            self._lines.append((record.name != self._logger, record.getMessage()))
            self._count += 1
            self._more.notify_all()

    def since(self, seen: int, seconds: float = LONGEST_WAIT) -> tuple[int, list[tuple[bool, str]]]:
        """How many lines there have been, and those after the first ``seen``, each with whether it is a detail.

        Waits until there is one. To be asked by the name "journal".
        """
        with self._more:
            self._more.wait_for(lambda: self._count > seen, min(seconds, LONGEST_WAIT))
            new = self._count - seen
            return self._count, list(self._lines)[-new:] if new else []
