"""SIGINT, SIGTERM and SIGHUP end a run where it waits, and nowhere else.

An exception that is raised between any two instructions cannot be cleaned up after: a process just forked has
no handle yet, a thread still stands in another's namespace, a library's event loop keeps it for itself. So a
signal is kept until the main thread is in a block marked :func:`waiting`, as pthread_cancel(3) is kept until a
cancellation point. Whatever is not marked is short; whatever may take long is marked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from rig.drivers.base.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NUDGE = signal.SIGURG
"""What nobody sends, and what does nothing where no handler is."""
NUDGE_SECONDS = 0.05
_END = 0


class _State:
    """The main thread's."""

    kept: int | None = None
    """The signal that came; kept until a block has been left because of it, since a destructor may swallow it."""
    waiting = False
    taking_down = False


_state = _State()


def _take(number: int, _: FrameType | None) -> None:
    _state.kept = number
    if _state.waiting:
        _act()


def _act() -> None:
    if _state.kept is not None and not _state.taking_down:
        raise Interrupted(f"interrupted by {signal.Signals(_state.kept).name}; everything was taken down")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have interruptions raise Interrupted in the blocks marked :func:`waiting`; at the latest on leaving.

    For the main thread.
    """
    before = {number: signal.signal(number, _take) for number in SIGNALS}
    try:
        with _woken_by_signals():
            yield
        _act()
    finally:
        _state.kept, _state.taking_down = None, False
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _woken_by_signals() -> Iterator[None]:
    """Have a signal end the system call that the main thread sleeps in, also one that came just before it.

    Python's handlers run between two instructions. A signal that comes after Python has looked and before the call
    begins is seen when the call ends, which may be never. So a thread is told of each signal by a descriptor, and a
    moment later, when the main thread has either seen it or is in its call, interrupts that call by a second one.
    """
    main = threading.get_ident()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def nudge() -> None:
        while _END not in (numbers := os.read(reader, 512)):
            if set(numbers) - {NUDGE}:
                time.sleep(NUDGE_SECONDS)
                signal.pthread_kill(main, NUDGE)

    before = signal.signal(NUDGE, lambda *_: None)
    outer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=nudge, daemon=True, name="nudge")
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(outer)
        os.set_blocking(writer, True)
        os.write(writer, bytes([_END]))
        thread.join()
        os.close(reader)
        os.close(writer)
        signal.signal(NUDGE, before)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """A wait for something outside, which an interruption ends. Raises Interrupted, also for one that came before.

    Once one was raised, waits are no longer cut short: everything is being taken down, and a second Ctrl-C
    would leave the line up. In other threads it marks nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer, _state.waiting = _state.waiting, True
    try:
        _act()
        yield
        _act()
    except Interrupted:
        _state.taking_down = True
        raise
    finally:
        _state.waiting = outer


@contextlib.contextmanager
def taking_down() -> Iterator[None]:
    """Everything is being taken down: see :func:`waiting`."""
    outer, _state.taking_down = _state.taking_down, True
    try:
        yield
    finally:
        _state.taking_down = outer


@contextlib.contextmanager
def blocked_for_child() -> Iterator[None]:
    """Fork within: a signal that reaches the child before it has called :func:`in_child` waits until then."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_child() -> None:
    """In a child just forked: signals do again what they do to any process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
