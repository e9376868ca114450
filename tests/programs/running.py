"""A program of somebody else's, run as its users run it: on a terminal of its own, by its own command line."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pexpect

from rig.drivers.base import syscalls
from rig.drivers.net.namespace import NetworkNamespace

SECONDS = 20.0
"""The bound of every wait that says nothing else: a program takes a second for what others do at once."""
FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin"


def surround(network: NetworkNamespace | None, folders: Mapping[str, Path]) -> None:
    """In a child about to become a program: die with us, in a network, and with folders of ours in place of the
    system's, which nobody else sees."""
    syscalls.die_with_parent(signal.SIGTERM)
    if network is not None:
        network.enter_for_good()
    if folders:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
        for place, folder in folders.items():
            syscalls.mount(str(folder), place, "", syscalls.MS_BIND)


class Running:
    """A program on a terminal. What it has shown so far is in every failure."""

    def __init__(self, spawned: pexpect.spawn[str], shown: io.StringIO) -> None:
        self.spawned = spawned
        self._shown = shown

    @property
    def pid(self) -> int:
        assert self.spawned.pid is not None
        return self.spawned.pid

    @property
    def shown(self) -> str:
        return self._shown.getvalue()

    def type(self, keys: str) -> None:
        self.spawned.send(keys)

    def takes_keys(self, seconds: float = SECONDS) -> None:
        """Wait until its terminal is raw: before that, Enter would become a line feed."""
        eventually("a raw terminal", lambda: not termios.tcgetattr(self.spawned.child_fd)[0] & termios.ICRNL, seconds)

    def shows(self, pattern: str, seconds: float = SECONDS) -> str:
        """Wait until it shows what the regular expression matches; that."""
        try:
            self.spawned.expect(pattern, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            ended = "ended" if isinstance(error, pexpect.EOF) else f"waited {seconds:g} s"
            raise AssertionError(f"{ended}, and it did not show {pattern!r}; it showed:\n{self.shown}") from None
        return str(self.spawned.after)

    def does_not_show(self, pattern: str, seconds: float) -> bool:
        """Whether it goes so many seconds without showing it, or ends."""
        return self.spawned.expect([pattern, pexpect.TIMEOUT, pexpect.EOF], timeout=seconds) > 0

    def ends(self, seconds: float = SECONDS) -> int:
        """Wait for its end: its exit status, negative for the signal that killed it."""
        try:
            self.spawned.expect(pexpect.EOF, timeout=seconds)
        except pexpect.TIMEOUT:
            raise AssertionError(f"waited {seconds:g} s for its end; it showed:\n{self.shown}") from None
        self.spawned.wait()
        status = self.spawned.exitstatus
        return int(status) if status is not None else -int(self.spawned.signalstatus or 0)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    network: NetworkNamespace | None = None,
    folders: Mapping[str, Path] | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Iterator[Running]:
    """A program, until the block is over. ``folders``: what it finds in place of the system's, by their paths."""
    shown = io.StringIO()
    spawned: pexpect.spawn[str] = pexpect.spawn(
        str(command[0]),
        [str(word) for word in command[1:]],
        encoding="utf-8",
        codec_errors="replace",
        timeout=SECONDS,
        cwd=None if directory is None else str(directory),
        env={"PATH": FOLDERS, "TERM": "vt100", "LC_ALL": "C.UTF-8", **(environment or {})},
        preexec_fn=functools.partial(surround, network, folders or {}),
        dimensions=(24, 100),
    )
    spawned.logfile_read = shown
    spawned.delaybeforesend = None
    try:
        yield Running(spawned, shown)
    finally:
        end(spawned)


def end(spawned: pexpect.spawn[str]) -> None:
    """By SIGTERM, so that it ends what it has started, while its terminal is read; by force after that."""
    if spawned.isalive():
        spawned.kill(signal.SIGTERM)
        with contextlib.suppress(pexpect.TIMEOUT):
            spawned.expect(pexpect.EOF, timeout=5)
    spawned.close(force=True)


def eventually(what: str, holds: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for what sends no event of its own."""
    bound = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > bound:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def remains(what: str, holds: Callable[[], object], seconds: float) -> None:
    """What holds now is to hold for so many seconds: that nothing happens has no event."""
    bound = time.monotonic() + seconds
    while time.monotonic() < bound:
        assert holds(), f"{what} held no longer"
        time.sleep(0.05)


def written(folder: Path, name: str, text: str, mode: int = 0o600) -> Path:
    """A file of a program's settings."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=mode)
    file.write_text(text)
    return file
