"""What is held to it: a program on a pseudo-terminal of its own, anew for each case; or whatever is at a port."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from drivers.base.errors import PortLostError
from drivers.base.program import find
from drivers.net.isolation import isolate
from drivers.net.namespace import NetworkNamespace
from drivers.ppp.peer.lcp import Timing
from drivers.ppp.peer.packet import Code
from drivers.serial.serial_line import SerialLine
from rig.conform.ppp.tester import Tester, lcp
from rig.conform.program import PORT, checked, running

USER = "rig"
ANSWER_SECONDS = 1.0
STILL = 1.2
"""Restart timers after which a device that has acknowledged its end is Stopped."""


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
        checked(words)
        self.timing = timing
        self.at_once = at_once
        self._words = words
        self._prepare = prepare
        self._secret = secret
        self._answer_seconds = answer_seconds

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        with running(self._words, self._prepare) as own:
            yield Tester(
                own.descriptor, self.timing, lambda: own.program.signal(signal.SIGTERM), self._answer_seconds,
                secret=self._secret,
            )  # fmt: skip


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
