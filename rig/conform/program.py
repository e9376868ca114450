"""A device that is a program: on a pseudo-terminal of its own, for as long as a case takes."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import tty
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rig.drivers.base.errors import CannotRunError, UsageError
from rig.drivers.base.program import Program

PORT = "{port}"
"""What stands for the terminal in a program's words."""
STOP_SECONDS = 3.0


@dataclass(frozen=True)
class Running:
    """``descriptor``: our end of its terminal, raw, and not blocking."""

    descriptor: int
    program: Program


def checked(words: Sequence[str]) -> None:
    """Raises UsageError where no word is the terminal's, CannotRunError where there is no such program."""
    if not any(PORT in word for word in words):
        raise UsageError(f"--against {' '.join(words)!r}: it takes {PORT} where the terminal's path is to stand")
    if shutil.which(words[0]) is None:
        raise CannotRunError(f"there is no program {words[0]} here that can be run")


@contextlib.contextmanager
def running(words: Sequence[str], prepare: Callable[[], None] = lambda: None) -> Iterator[Running]:
    """It, with its children, ended at the end. ``prepare`` is called in the child."""
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        path, *others = [word.replace(PORT, os.ttyname(slave)) for word in words]
        program = Program(shutil.which(path) or path, others, line=lambda line: None, prepare=prepare)
        try:
            yield Running(master, program)
        finally:
            program.kill_with_children()
            program.wait(STOP_SECONDS)
    finally:
        os.close(slave)
        os.close(master)
