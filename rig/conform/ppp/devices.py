"""What is held to it: a program on a pseudo-terminal of its own, anew for each case; or whatever is at a port."""

from __future__ import annotations

import contextlib
import itertools
import os
import pty
import secrets
import shutil
import signal
import tempfile
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from drivers.base.errors import CannotRunError, PortLostError, UsageError
from drivers.base.program import Program, find
from drivers.net.isolation import isolate
from drivers.net.namespace import NetworkNamespace
from drivers.ppp.peer.lcp import Timing
from drivers.ppp.peer.packet import Code
from drivers.serial.serial_line import SerialLine
from rig.conform.ppp.tester import Tester, lcp

PORT = "{port}"
"""What stands for the terminal in a program's words."""
USER = "rig"
STOP_SECONDS = 3.0
ANSWER_SECONDS = 1.0
STILL = 1.2
"""Restart timers after which a device that has acknowledged its end is Stopped."""


class Device(Protocol):
    """``timing``: its restart timer and counters, as it was told, or as one is told of it; ``at_once``: how many cases
    may have one of them at a time."""

    @property
    def timing(self) -> Timing: ...

    @property
    def at_once(self) -> int: ...

    def fresh(self) -> AbstractContextManager[Tester]:
        """It, where nothing has been said yet."""


class ProgramDevice:
    """A program that speaks PPP on a terminal: ``words``, with ``{port}`` for the terminal's path. It is to close on
    SIGTERM. ``prepare`` is called in the child."""

    def __init__(
        self,
        words: Sequence[str],
        timing: Timing,
        prepare: Callable[[], None] = lambda: None,
        at_once: int = 6,
        answer_seconds: float = ANSWER_SECONDS,
        secret: bytes = b"",
    ) -> None:
        if not any(PORT in word for word in words):
            raise UsageError(f"--against {' '.join(words)!r}: it takes {PORT} where the terminal's path is to stand")
        if shutil.which(words[0]) is None:
            raise CannotRunError(f"there is no program {words[0]} here that can be run")
        self.timing = timing
        self.at_once = at_once
        self._words = words
        self._prepare = prepare
        self._secret = secret
        self._answer_seconds = answer_seconds

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        master, slave = pty.openpty()
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            path, *words = [word.replace(PORT, os.ttyname(slave)) for word in self._words]
            running = Program(shutil.which(path) or path, words, line=lambda line: None, prepare=self._prepare)
            try:
                yield Tester(
                    master, self.timing, lambda: running.signal(signal.SIGTERM), self._answer_seconds,
                    secret=self._secret,
                )  # fmt: skip
            finally:
                running.kill_with_children()
                running.wait(STOP_SECONDS)
        finally:
            os.close(slave)
            os.close(master)


def pppd(namespace: NetworkNamespace, folder: Path, timing: Timing) -> ProgramDevice:
    """The kernel's own, by itself in a namespace, told the ``timing``, with an account of this run's."""
    own, secret = Path(tempfile.mkdtemp(prefix="ppp-", dir=folder)), secrets.token_hex(16)
    (own / "options").touch()
    for name in ("pap-secrets", "chap-secrets"):
        (own / name).touch(mode=0o600)
        (own / name).write_text(f"{USER} * {secret} *\n")
    restart = f"{timing.restart:.0f}"
    words = [
        find("pppd", "ppp"), PORT, "115200", "local", "nodetach", "noauth", "nodefaultroute", "noipdefault", "nolock",
        "user", USER, "usepeerdns", "pap-restart", restart, "ipcp-restart", restart, "lcp-restart", restart,
        "lcp-max-configure", f"{timing.max_configure}", "lcp-max-terminate", f"{timing.max_terminate}",
        "lcp-max-failure", f"{timing.max_failure}",
    ]  # fmt: skip
    return ProgramDevice(words, timing, lambda: isolate(namespace, {"/etc/ppp": own}), secret=secret.encode())


class PortDevice:
    """What is at a serial port, or a pseudo-terminal that firmware has made: one that begins anew when it is told to
    end. One case at a time."""

    at_once = 1

    def __init__(self, line: SerialLine, timing: Timing, answer_seconds: float) -> None:
        self.timing = timing
        self._line = line
        self._ids = itertools.cycle(range(1, 256))
        self._answer_seconds = answer_seconds

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        self._line.discard_input()
        begins = self._ended()
        yield Tester(
            self._line.fileno(), self.timing, None, self._answer_seconds, waits=not begins, ids=self._ids
        )  # fmt: skip

    def _ended(self) -> bool:
        """It was told to end, and has; whether it begins anew by itself. Having acknowledged that it keeps still for a
        restart timer, and takes nothing (RFC 1661 §4.4, zrc)."""
        ending = Tester(self._line.fileno(), self.timing, None, self._answer_seconds, ids=self._ids)
        ending.say(Code.TERMINATE_REQUEST)
        begins = ending.comes(lcp(Code.CONFIGURE_REQUEST), STILL * self.timing.restart + self._answer_seconds)
        if ending.gone:
            raise PortLostError(f"{self._line.port}: the line was closed by the other side")
        return begins is not None
