"""One way home."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rig.drivers.base.errors import PppError, RigError
from rig.paths.up import Kind, Up
from rig.verdict.verdict import Verdict

LOST_SECONDS = 1.0
"""How long a way may take to notice that it is down, once something else has just missed it."""


class Path(Protocol):
    """Made with its console, nothing opened. One after the other it may be opened as often as one likes."""

    kind: Kind

    def open(self, told: Verdict) -> Up:
        """Bring it up; what was found on the way is told. Raises RigError."""

    def alive(self) -> bool:
        """Whether it is up still."""

    def ends_within(self, seconds: float) -> bool:
        """Wait so many seconds; whether it has ended by then."""

    def failure(self) -> RigError:
        """Why it is not up any more."""

    def close(self) -> None:
        """Take it down; it may be opened again. Nothing happens when it is not open."""


@contextlib.contextmanager
def over(path: Path) -> Iterator[None]:
    """What is done over a way that is up. Whatever fails there because it was lost, in whichever words, is what ended
    it."""
    try:
        yield
    except PppError:
        raise
    except Exception as error:
        if path.ends_within(LOST_SECONDS):
            raise path.failure() from error
        raise
