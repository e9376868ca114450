"""The far ends' processes: started, ready or said why not, ended, and nothing of them held."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.drivers.base.errors import UsageError
from rig.run.process import PartnerError, PartnerProcess


def waits(*, ready: Callable[[], None]) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ready()
    stop.wait()


def refuses(*, ready: Callable[[], None]) -> None:
    raise UsageError("there is no such thing")


def ends(*, ready: Callable[[], None]) -> None:
    """Without a word."""


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_of_one_that_is_started_again_and_again_nothing_is_held(tmp_path: Path) -> None:
    """An owner goes on for days, and so do those who inherit what it has open."""
    held = []
    for number in range(5):
        started = [PartnerProcess("one", waits, (), tmp_path / "log") for _ in range(3)]
        for one in started:
            one.wait_ready()
            one.stop()
            one.stop()  # its owner's own, at the end
            with pytest.raises(ProcessLookupError):
                os.kill(one.pid, 0)
        held += started
        if number == 0:
            before = descriptors()
    assert descriptors() == before


def test_why_one_did_not_start_is_said_with_the_end_of_its_log(tmp_path: Path) -> None:
    for main, kind, said in ((refuses, UsageError, "no such thing"), (ends, PartnerError, "it ended at once")):
        one = PartnerProcess("one", main, (), tmp_path / "log")
        with pytest.raises(kind, match=said):
            one.wait_ready()
        one.stop()
