"""This process's terminal, given over to somebody who does echo, editing and Ctrl-C himself."""

from __future__ import annotations

import contextlib
import termios
import tty
from collections.abc import Iterator


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    """Standard input raw within the block, and as it was after it."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
