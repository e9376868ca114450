"""Progress while it happens, on standard error, with the time that each step took."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from rig.run.trace import Trace

if TYPE_CHECKING:
    from rich.progress import Progress as Live

PLAIN_SECONDS = 10.0
"""Where there is no terminal, how often a long step says how far it is."""


class Progress:
    """Steps, one after the other. On a terminal the step under way is shown live, with a bar where it is known how much
    is left; elsewhere one line is written when it ends. ``verbose`` shows details too, ``quiet`` nothing. May be used
    from several threads. What happens is kept in ``trace``, whoever is shown it."""

    def __init__(self, stream: TextIO | None = None, *, verbose: bool = False, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._verbose = verbose
        self._quiet = quiet
        self._lock = threading.RLock()
        self._step = ""
        self._began = self._told = 0.0
        self._live: Live | None = None
        self.trace = Trace()

    @classmethod
    def silent(cls) -> Progress:
        """For what goes on beside that which a person follows."""
        return cls(quiet=True)

    def begin(self, step: str) -> None:
        """A step begins; one still under way ends well."""
        with self._lock:
            self.end()
            self._step, self._began = step, time.monotonic()
            self._told = self._began
            if self._stream.isatty() and not self._quiet:
                self._start_live()

    def _start_live(self) -> None:
        from rig.run.live import live_step

        self._live = live_step(self._stream, self._step)
        self._live.start()

    def advance(self, done: int, total: int, rate: str = "") -> None:
        """How far the step under way is, and how fast it goes, where that is said."""
        with self._lock:
            if self._live is not None:
                description = f"{self._step}, {rate}" if rate else self._step
                self._live.update(self._live.task_ids[0], completed=done, total=total, description=description)
            elif time.monotonic() - self._told > PLAIN_SECONDS:
                self._told = time.monotonic()
                self._show(f"{self._step}: {done} of {total}{f', {rate}' if rate else ''}")

    def end(self, result: str = "") -> None:
        """The step under way ended; ``result`` is added to its line."""
        with self._lock:
            if not self._step:
                return
            took = time.monotonic() - self._began
            step, self._step = self._step, ""
            self.trace.step(step, self._began, result)
            self._stop_live()
            self._write(f"{took:8.3f} s  {step}{': ' + result if result else ''}")

    def fail(self, error: BaseException) -> None:
        """The step under way, if there is one, was ended by an error, or by a person."""
        self.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def note(self, text: str) -> None:
        """Something that happened within a step."""
        self.trace.note(text)
        self._show(text)

    def _show(self, text: str) -> None:
        with self._lock:
            self._write(f"{'':10}  {text}")

    def detail(self, text: str) -> None:
        """For -v."""
        if self._verbose:
            self._show(text)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step that is over when the block is."""
        self.begin(name)
        try:
            yield
        except BaseException as error:
            self.fail(error)
            raise
        self.end()

    def _write(self, line: str) -> None:
        if self._quiet:
            return
        if self._live is not None:
            self._live.console.print(line, markup=False, soft_wrap=True)
        else:
            self._stream.write(line + "\n")
            self._stream.flush()
