"""Programs that a farm's tests start, what is waited for of them, and what they leave running."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent
RIG = Path(os.environ.get("RIG") or Path(__file__).resolve().parents[2] / ".venv/bin/rig")
SECONDS = 60.0


class Started:
    """A program, its words as they come in a file, and its end."""

    def __init__(self, log: Path, *command: object, cwd: Path | None = None, **more: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env={**os.environ, **more},
            )

    def await_word(self, word: str, count: int = 1) -> None:
        end = time.monotonic() + SECONDS
        while self.log.read_text().count(word) < count:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(
                    f"waited {SECONDS:g} s for {word!r} of {self.process.args}: {self.log.read_text()}"
                )
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(SECONDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def await_port(address: str) -> None:
    host, port = address.split(":")
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), 1.0).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def await_that(held: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not held():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s: {what}")
        time.sleep(0.05)


def runs_with(lock: Path) -> set[int]:
    """The processes that have a bench: the file of its lock is open in them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if any(os.readlink(one) == str(lock) for one in (entry / "fd").iterdir()):
                    found.add(int(entry.name))
            except OSError:
                pass
    return found


@pytest.fixture
def in_lab() -> Iterator[Path]:
    """A folder that the rig's lab has, too: it has a /tmp of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)
