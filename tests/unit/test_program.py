"""A program that runs beside us: its lines, its end, its signals."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.program import Program, find


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def run(self, script: str) -> Program:
        return Program("/bin/sh", ["-c", script], line=self.lines.append, prepare=lambda: None)


def test_every_line_has_come_when_the_end_is_told() -> None:
    """Catches a last message that is read only after whoever waited has looked for it."""
    listener = Listener()
    program = listener.run("for i in 1 2 3; do echo line $i >&2; done; printf last >&2; exit 5")
    assert program.wait(5)
    assert listener.lines == ["line 1", "line 2", "line 3", "last"]
    assert program.exit_code == 5


def test_the_end_does_not_wait_for_who_holds_its_messages() -> None:
    """Catches sh's way: an orphan that has inherited standard error held up the end of pppd for ever."""
    listener = Listener()
    program = listener.run("sleep 30 & echo $! >&2; kill -9 $$")
    try:
        began = time.monotonic()
        assert program.wait(5)
        assert time.monotonic() - began < 1
        assert program.exit_code == -9
    finally:
        os.kill(int(listener.lines[0]), signal.SIGKILL)


def test_one_that_closes_its_messages_is_still_running() -> None:
    listener = Listener()
    program = listener.run("exec 2>&-; sleep 30")
    assert not program.wait(0.3)
    assert program.stop(5)
    assert program.exit_code == -signal.SIGTERM


def test_one_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    listener = Listener()
    program = listener.run("trap '' TERM; sleep 30 & echo $! >&2; wait; wait")
    deadline = time.monotonic() + 5
    while not listener.lines and time.monotonic() < deadline:
        time.sleep(0.01)  # its line is told in another thread
    assert program.stop(0.3)
    child = Path(f"/proc/{listener.lines[0]}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_a_signal_after_its_end_does_nothing() -> None:
    program = Listener().run("exit 0")
    assert program.wait(5)
    program.signal(signal.SIGKILL)
    program.kill_with_children()
    assert program.exit_code == 0


def test_a_program_that_is_not_there_is_named_with_its_package() -> None:
    with pytest.raises(CannotRunError, match="no pppdd here") as caught:
        find("pppdd", "ppp")
    assert caught.value.advice == "apt-get install ppp"
