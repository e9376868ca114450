"""Where SIGINT, SIGTERM and SIGHUP end a run, with real signals to this process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from rig.drivers.base.errors import Interrupted
from rig.drivers.base.interruptions import SIGNALS, interruptible, taking_down, waiting
from rig.run.command import run_command


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_wait_is_ended_by_each_signal(number: int) -> None:
    with pytest.raises(Interrupted, match=signal.Signals(number).name), interruptible(), waiting():
        interrupt(number)


def test_a_signal_between_waits_is_kept_for_the_next() -> None:
    """Catches an exception in the middle of what cannot be undone half-way."""
    reached = []
    with pytest.raises(Interrupted), interruptible():
        interrupt()
        reached.append("what followed")
        with waiting():
            reached.append("the wait")
    assert reached == ["what followed"]


def test_a_signal_that_no_wait_saw_is_raised_at_the_end() -> None:
    with pytest.raises(Interrupted), interruptible():
        interrupt()


def test_nothing_cuts_short_what_takes_down() -> None:
    """Catches a second Ctrl-C that would leave the line up."""
    with pytest.raises(Interrupted), interruptible():
        try:
            with waiting():
                interrupt()
        finally:
            interrupt()
            with waiting():
                done = True
    assert done


def test_a_normal_end_is_not_cut_short_either() -> None:
    done = False
    with pytest.raises(Interrupted), interruptible(), taking_down():
        interrupt()
        with waiting():
            done = True
    assert done


def test_one_that_a_destructor_swallowed_is_raised_after_it() -> None:
    """Catches an interruption lost in __del__, where Python prints an exception and goes on."""
    reached = []
    with pytest.raises(Interrupted), interruptible():
        with waiting(), contextlib.suppress(KeyboardInterrupt):
            interrupt()
        reached.append("after the wait")
    assert reached == []


def test_one_run_does_not_interrupt_the_next() -> None:
    with contextlib.suppress(Interrupted), interruptible():
        interrupt()
    with interruptible(), waiting():
        pass


def test_a_blocked_wait_ends_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(Interrupted), interruptible(), waiting():
        threading.Timer(0.1, interrupt).start()
        threading.Event().wait(10)
    assert time.monotonic() - began < 2


def test_a_signal_that_comes_just_before_a_wait_ends_it() -> None:
    """Catches Ctrl-C that is lost for good: Python has looked for signals, and the wait has not begun.

    The descriptor's number is asked for in between, by C alone; it is 0, on which nothing ever comes.
    """
    script = """if True:
        import ctypes, functools, select, signal
        from rig.drivers.base.errors import Interrupted
        from rig.drivers.base.interruptions import interruptible, waiting
        class JustBefore:
            fileno = functools.partial(ctypes.CDLL(None)["raise"], signal.SIGTERM)
        try:
            with interruptible(), waiting():
                select.select([JustBefore()], [], [])
        except Interrupted:
            print("interrupted")
    """
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 10)[0], "it waits, and does not know that it is to end"
            assert process.stdout.read() == "interrupted\n"
        finally:
            process.kill()


def test_a_command_is_ended_with_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    """Catches a command over the session that lives on when the run was interrupted."""
    script = "trap 'echo ended; exit 7' TERM; echo here; sleep 10 & wait"
    with pytest.raises(Interrupted), interruptible():
        threading.Timer(0.3, interrupt).start()
        run_command(["sh", "-c", script])
    assert capfd.readouterr().out == "here\nended\n"


@pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_a_commands_status_is_its_own(script: str, status: int) -> None:
    assert run_command(["sh", "-c", script]) == status


def test_handlers_are_put_back() -> None:
    before: list[Callable[..., object] | int | None] = [signal.getsignal(number) for number in SIGNALS]
    with interruptible():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before
