"""SIGINT, SIGTERM and SIGHUP: turned into an exception, put off, or ignored for a while."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from drivers.errors import Interrupted

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP wait until the block is over.

    A process started within inherits the mask, and has to lift it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Ignore interruptions for a while."""
    try:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS}
    except ValueError:  # not the main thread: signals do not come here
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}; everything was taken down")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into Interrupted, wherever the main thread is."""
    before = {number: signal.signal(number, _interrupt) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
