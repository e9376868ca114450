"""What is held to it: a program on a pseudo-terminal of its own, anew for each case; whatever is at a port; or what
answers a number."""

from __future__ import annotations

import contextlib
import functools
import itertools
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rig.conform.ppp.tester import Tester, lcp
from rig.conform.program import PORT, checked, running
from rig.drivers.base.errors import PortLostError, UsageError
from rig.drivers.base.program import find
from rig.drivers.modem.number import Number
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.peer.lcp import Timing
from rig.drivers.ppp.peer.packet import LCP, Code
from rig.drivers.serial.serial_line import SerialLine
from rig.links.link import Link

USER = "rig"
ANSWER_SECONDS = 1.0
AWAKE_SECONDS, AWAKE_TRIES = 1.0, 10
STILL = 1.2
"""Restart timers after which a device that has acknowledged its end is Stopped."""


class WhoBegins:
    """Whether a device speaks first: it is seen once, in a session that is for nothing else."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._one_looks = threading.Lock()
        self._waits: bool | None = None

    def waits(self, session: Callable[[], AbstractContextManager[Tester]]) -> bool:
        """``session``: a new one. Whether nothing comes in it before anything is said."""
        with self._one_looks:
            if self._waits is None:
                with session() as first:
                    self._waits = first.comes(lcp(Code.CONFIGURE_REQUEST), self._seconds) is None
            return self._waits


class ProgramDevice:
    """A program that speaks PPP on a terminal: ``words``, with ``{port}`` for the terminal's path. It is to close on
    SIGTERM. Whether it speaks first is seen once. ``prepare`` is called in the child."""

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
        self._begins = WhoBegins(timing.restart + answer_seconds)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        waits = self._begins.waits(lambda: self._started(False))
        with self._started(waits) as tester:
            if waits:
                awaken(tester, "on the program's terminal")
            yield tester

    @contextlib.contextmanager
    def _started(self, waits: bool) -> Iterator[Tester]:
        with running(self._words, self._prepare) as own:
            yield Tester(
                own.descriptor, self.timing, lambda: own.program.signal(signal.SIGTERM), self._answer_seconds,
                waits=waits, secret=self._secret,
            )  # fmt: skip


def pppd(namespace: NetworkNamespace, folder: Path, timing: Timing, answer_seconds: float) -> ProgramDevice:
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
    inside = functools.partial(isolate, namespace, {"/etc/ppp": own})
    return ProgramDevice(words, timing, inside, answer_seconds=answer_seconds, secret=secret.encode())


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


class CalledDevice:
    """What answers a ``number``, behind the modem there: called anew for each case, over ``link``. One case at a time.

    Whether it speaks first is seen in the first call. Raises CallError, NoModemError as the link does.
    """

    at_once = 1

    def __init__(self, link: Link, number: Number, timing: Timing, answer_seconds: float) -> None:
        if link.l2tp:
            raise UsageError("a modem that is lent over L2TP brings packets, and no frames of an asynchronous line")
        self.timing = timing
        self._link = link
        self._number = number
        self._answer_seconds = answer_seconds
        self._begins = WhoBegins(timing.restart + answer_seconds)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        with self._called(self._begins.waits(lambda: self._called(False))) as tester:
            yield tester

    @contextlib.contextmanager
    def _called(self, waits: bool) -> Iterator[Tester]:
        self._link.open()
        try:
            self._link.dial(self._number)
            tester = Tester(self._link.terminal(), self.timing, None, self._answer_seconds, waits=waits)
            awaken(tester, f"{self._number}")
            yield tester
        finally:
            self._link.hang_up()


def awaken(tester: Tester, whom: str) -> None:
    """Until PPP listens there, which may be long after a modem has answered, or a program was started. A request to end
    is answered in every state, and changes none that is not open yet (RFC 1661 §4.1)."""
    for _ in range(AWAKE_TRIES):
        tester.say(Code.TERMINATE_REQUEST)
        if tester.comes(lambda packet: packet.protocol == LCP, AWAKE_SECONDS) is not None:
            return
    tester.failed(f"nothing that speaks PPP answers {whom} within {AWAKE_TRIES * AWAKE_SECONDS:g} s")
