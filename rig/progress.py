"""Progress while it happens, on standard error, with the time that each step took."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from rig.trace import Trace

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """Steps, one after the other. On a terminal the step under way is shown live; elsewhere one line is
    written when it ends. ``verbose`` shows details too, ``quiet`` nothing. May be used from several threads."""

    def __init__(self, stream: TextIO | None = None, *, verbose: bool = False, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._verbose = verbose
        self._quiet = quiet
        self._lock = threading.RLock()
        self._step = ""
        self._began = 0.0
        self.trace = Trace()
        self._live = self._start_live() if self._stream.isatty() and not quiet else None

    def _start_live(self) -> Status:
        from rich.console import Console

        return Console(file=self._stream, highlight=False).status("")

    @classmethod
    def silent(cls) -> Progress:
        """For what goes on beside that which a person follows."""
        return cls(quiet=True)

    def begin(self, step: str) -> None:
        """A step begins; one still under way ends well."""
        with self._lock:
            self.end()
            self._step, self._began = step, time.monotonic()
            if self._live is not None:
                self._live.update(f"{step} …")
                self._live.start()

    def end(self, result: str = "") -> None:
        """The step under way ended; ``result`` is added to its line."""
        with self._lock:
            if not self._step:
                return
            took = time.monotonic() - self._began
            step, self._step = self._step, ""
            if self._live is not None:
                self._live.stop()
            self.trace.step(step, self._began, result)
            self._write(f"{took:8.3f} s  {step}{': ' + result if result else ''}")

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
            self.end(type(error).__name__ if not str(error) else "failed")
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
