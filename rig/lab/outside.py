"""A guest as seen from outside: a process that was started, with lines to the guest's first process (guest.py)."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

from rig.drivers.base.errors import GuestError
from rig.lab import held_folder, not_starting
from rig.lab.channel import Request
from rig.lab.relay import Line, LineLostError

PREFIX = "rig-lab-"
PROJECT = Path(__file__).resolve().parents[2]
"""Where the guest finds this project, whichever way it was installed."""
END_SECONDS = 10.0
LAST_WORDS_SECONDS = 1.0
"""How long a guest that has closed its line may take to end: its console says why until then."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one guest's files; those whose starter was killed are cleared first."""
    parent = Path(tempfile.gettempdir())
    clear_leftovers(parent)
    folder, lock = held_folder.make(parent, f"{PREFIX}{secrets.token_hex(6)}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear_leftovers(parent: Path) -> None:
    """Remove the folders of guests whose starter was killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        if held_folder.abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def write_init(folder: Path, lines: list[str], shares: dict[str, str], stays: bool, **settings: str) -> Path:
    """The program that the guest's kernel starts: guest.py, told by its environment what kind of guest it is in.

    ``lines``: the devices of its lines to the outside. ``shares``: folders that may be written to, each with the tag by
    which it is mounted; the tag "hostfs" stands for any. ``stays``: it is for more than one command.
    """
    init = folder / "init"
    settings |= {"lines": " ".join(lines), "shares": json.dumps(shares), "stays": "yes" if stays else ""}
    exports = "".join(f"export RIG_{name.upper()}={shlex.quote(value)}\n" for name, value in settings.items())
    path = f"export PYTHONPATH={shlex.quote(str(PROJECT))}\n"
    init.write_text(f"#!/bin/sh\n{exports}{path}exec {shlex.quote(sys.executable)} -m rig.lab.guest\n")
    init.chmod(0o755)
    return init


class Guest:
    """One running guest; leaving the context ends it.

    When the process that holds its lines dies, the guest reads their end, ends its commands and powers off. A death
    signal would be quicker, but kills only the kernel's main process and leaves its helpers behind.

    ``handle`` is a pidfd of its first process. ``log`` has what its console said. ``boot_seconds``: how long it may
    take to be ready. ``shares``: see write_init.
    """

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        lines: list[Line],
        log: Path,
        boot_seconds: float,
        shares: dict[str, str],
    ) -> None:
        self.name = name
        self.process = process
        self.handle = os.pidfd_open(process.pid)
        weakref.finalize(self, os.close, self.handle)
        self.lines = lines
        self.log = log
        self.boot_seconds = boot_seconds
        self.shares = shares

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: it reads an end of file, ends its commands and powers off; killed when it does not in ten seconds."""
        for line in self.lines:
            line.close()
        self.ended(END_SECONDS)
        self._kill()

    def ended(self, seconds: float) -> bool:
        """Whether its process ends within so many seconds, or has; it is not collected yet."""
        return bool(select.select([self.handle], [], [], seconds)[0])

    def _kill(self) -> None:
        """End what is left of it. User-Mode Linux is a group of processes, and the death of the first ends no other:
        one goes on for ever, and holds the lines open. The group has the first one's number until it is collected."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def await_boot(self) -> None:
        """Wait until it asks for its command. Raises GuestError, saying why, after ``boot_seconds`` or at its end."""
        with contextlib.suppress(LineLostError):
            if self.lines[0].await_ready(self.boot_seconds, self.handle):
                return
        raise self.failure()

    def run(self, request: Request) -> int:
        """The only command of a guest that does not stay; its exit status. Raises GuestError when it ends first."""
        try:
            return self.lines[0].run(request, self.handle)
        except LineLostError:
            raise ended_early(self.name, self.console()) from None

    def console(self) -> str:
        """All that its console has said; once it is known to have closed its line, to the last word."""
        if self.ended(LAST_WORDS_SECONDS):
            self._kill()
        return self.log.read_text(errors="replace")

    def failure(self) -> GuestError:
        console = self.console()
        return not_starting.explain(self.name, console, self.process.returncode, self.boot_seconds)


def ended_early(name: str, console: str = "") -> GuestError:
    return GuestError(f"the lab's guest ({name}) ended before its command did", "-v shows its console", console=console)


def take_signals() -> None:
    """In the child: a shell's background jobs ignore SIGINT, and a guest that inherits that never powers off."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
