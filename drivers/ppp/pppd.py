"""pppd on a line that is already open: its own configuration folder, its own namespace, its own handle.

pppd reads /etc/ppp whatever it is told, so each session sees a folder of its own there (a mount namespace
of its own): the host's options and scripts never leak in, and the secrets are in a file that goes with the
session, never in argv. What it says arrives on a pipe (ppp_log.py), so nothing is polled.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import queue
import secrets
import select
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from rig.drivers.base import syscalls
from rig.drivers.base.errors import CannotRunError, CarrierLostError, PppError, UsageError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.program import Program, find
from rig.drivers.base.secret import Secret
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp import connect_script
from rig.drivers.ppp.ppp_course import ADVICE, NO_ANSWER_TO_PAP, Course
from rig.drivers.ppp.ppp_log import Addresses, EchoAnswered, Ended, Event, PluginLoaded, PppLog, Refused, Unanswered
from rig.drivers.ppp.up import PppUp

TERMINATE_SECONDS = 3.0
"""How long the peer may take to acknowledge a Terminate-Request; after that the line is hung up."""
END_SECONDS = 3.0
"""How long pppd may take to end once the line is hung up; after that it is killed."""
KILL_SECONDS = 10.0
"""How long the kernel may take to end a killed one."""

START_SECONDS = 120.0
"""Half a second for one; thirty-two callers at once and their gateway's thirty-two, on one slow core, wait sixty."""
KEPT_LINES = 500
"""Lines of pppd's that are kept: a session of days says something every few seconds."""
PEER_MILLISECONDS = 80
"""How long to listen before the first LCP packet. A gateway's own PPP starts a moment after its CONNECT, and
a packet that it misses costs three seconds; one that it sends ends the wait at once."""


@dataclass(frozen=True)
class PppOptions:
    """What one session is to be.

    ``options`` are pppd's own (pppd(8)), without secrets; ``client`` is what we say of ourselves.
    ``l2tp``: there is no line but an L2TP session;
    ``record``: where pppd is to record what goes over the line (see line_record.py).
    """

    options: tuple[str, ...] = ()
    client: Secret | None = None
    l2tp: bool = False
    record: Path | None = None


def _nobody() -> str:
    """Somebody whose password nobody knows: with no secrets at all pppd would not even ask for one."""
    return f"{quote('nobody')} * {quote(secrets.token_hex(16))} *\n"


def quote(word: str) -> str:
    """A word of pppd's configuration files."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Pppd:
    """One pppd on the open terminal ``terminal`` (a descriptor), started but held until :meth:`release`.

    Starting takes pppd as long as a whole negotiation, and an LCP packet that arrives before it is ready
    costs three seconds (RFC 1661's restart timer). So it is started before the modem dials, and waits in
    its connect script, which ends when it is released. Over an L2TP session pppd has no such script: there
    ``terminal`` is a PPPoX socket, not connected yet, and pppd waits for its last options, which say which session
    that has become, from a file that ends when it is released.

    ``folder`` is where the session's own configuration folder is made; ``notice`` is told of each event,
    ``log`` of each line that pppd prints. Raises CannotRunError at once when there is no pppd here.
    """

    def __init__(
        self,
        terminal: int,
        options: PppOptions,
        namespace: NetworkNamespace,
        folder: Path,
        notice: Callable[[Event], None] = lambda event: None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.namespace = namespace
        self.lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._notice = notice
        self._log = log
        self._parser = PppLog()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._course = Course()
        self._echoed = threading.Event()
        self._gate = self._waiting = -1
        self._terminal = terminal
        self._refuses = options.client is None
        self._released = False
        self._folder = Path(tempfile.mkdtemp(prefix="ppp-", dir=folder))
        try:
            self._configure(options)
            self._program = self._start(terminal, options)
        except BaseException:
            self._clean_up()
            raise
        try:
            if options.l2tp:
                os.close(self._waiting)  # the pipe's other end, which is pppd's now
                self._waiting = -1
                self._await_plugin()
            else:
                self._await_script()
        except BaseException:
            self.stop()
            raise

    def admit(self, accounts: Iterable[Secret], address: IPv4Address) -> None:
        """Say whom to let in, and which address they are given; before :meth:`release`.

        pppd reads its secrets when the peer authenticates, and takes the address from them (pppd(8)).
        """
        admitted = list(accounts)
        if not all(secret.password for secret in admitted):
            raise UsageError("an account without a secret: pppd would let anybody in who names it")
        lines = (f"{quote(secret.user)} * {quote(secret.password)} {address}\n" for secret in admitted)
        self._write_secrets("".join([*lines, _nobody()]))

    def release(self, session: Iterable[str] = ()) -> None:
        """The line is connected: negotiate. ``session``: what pppd's plug-in is told of an L2TP session. Raises
        CarrierLostError when pppd has ended already."""
        self._released = True
        try:
            os.write(self._gate, f"{' '.join(session)}\n".encode())
        except OSError as error:  # pppd has ended meanwhile, and nobody reads
            raise CarrierLostError("the line dropped before PPP began", ADVICE[CarrierLostError]) from error
        if self._waiting < 0:
            self._close_gate()

    def _clean_up(self) -> None:
        self._close_gate()
        if self._waiting >= 0:
            os.close(self._waiting)
            self._waiting = -1
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close_gate(self) -> None:
        """A script that waits there reads an end of file, and pppd's connect script has failed."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1

    def _configure(self, options: PppOptions) -> None:
        (self._folder / "options").write_text("")
        us = options.client
        self._write_secrets(f"{quote(us.user)} * {quote(us.password)} *\n" if us else _nobody())
        if options.l2tp:
            self._waiting, self._gate = os.pipe()
        else:
            self._gate, self._waiting = (self._fifo(name) for name in (connect_script.GATE, connect_script.WAITING))

    def _fifo(self, name: str) -> int:
        os.mkfifo(self._folder / name, 0o600)
        return os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)

    def _await_script(self) -> None:
        """Wait until pppd is in its connect script. Raises why it ended, where it did: no call is placed then.

        Before its script it sets up the terminal, which throws away what the modem is just answering.
        """
        with waiting():
            ready, _, _ = select.select([self._waiting, self._program.handle], [], [], START_SECONDS)
        if self._program.handle in ready:
            self.wait_end(END_SECONDS)
            raise self.failure()
        if not ready:
            raise self._not_ready()

    def _await_plugin(self) -> None:
        """Wait until pppd has read its options but for the last. Raises why it ended, where it did."""
        while True:
            try:
                with waiting():
                    event = self._events.get(timeout=START_SECONDS)
            except queue.Empty:
                raise self._not_ready() from None
            if event is None:
                raise self.failure()
            if isinstance(event, PluginLoaded):
                return

    def _not_ready(self) -> PppError:
        return PppError(f"pppd was not ready within {START_SECONDS:g} s; it said: {self._last_line()}")

    def _write_secrets(self, text: str) -> None:
        for name in ("pap-secrets", "chap-secrets"):
            file = self._folder / name
            file.touch(mode=0o600)
            file.write_text(text)

    def _start(self, terminal: int, options: PppOptions) -> Program:
        path = find("pppd", "ppp")
        Path("/etc/ppp").mkdir(exist_ok=True)
        words = [
            "nodetach", "debug", "logfd", "2", "noipv6", *self._line_options(options),
            *(("user", options.client.user, "remotename", "peer") if options.client else ()),
            *options.options,
            *(("plugin", "pppol2tp.so", "file", f"/proc/self/fd/{self._waiting}") if options.l2tp else ()),
        ]  # fmt: skip
        # The line is pppd's standard input: on its "default device" pppd neither drops DTR for a second
        # before and after, nor locks what this process has locked already (pppd/tty.c).
        return Program(
            path,
            words,
            line=self._line,
            prepare=functools.partial(isolate, self.namespace, {"/etc/ppp": self._folder}),
            ended=functools.partial(self._events.put, None),
            stdin=terminal,
            inherited=(self._waiting,) if options.l2tp else (),
            environment={"HOME": str(self._folder)},
        )

    def _line_options(self, options: PppOptions) -> tuple[str, ...]:
        """For a terminal; an L2TP session's plug-in knows none of these."""
        if options.l2tp:
            return ()
        return (
            "nolock", "connect-delay", f"{PEER_MILLISECONDS}",
            "connect", connect_script.held_in(self._folder, recording=options.record is not None),
            "modem",  # loss of carrier ends it; a pseudo-terminal shows that by being hung up, unless it has CLOCAL
            *(("record", str(options.record)) if options.record else ()),
        )  # fmt: skip

    def _line(self, line: str) -> None:
        self.lines.append(line)
        self._log(line)
        for event in self._parser.feed(line):
            self._course.take(event)
            if isinstance(event, EchoAnswered):
                self._echoed.set()
            self._events.put(event)
            self._notice(event)

    def wait_up(self, timeout: float) -> PppUp:
        """Wait until both addresses are agreed and the interface is up.

        Raises AuthenticationError, CarrierLostError or PppError as the session ends before that, and
        PppError after ``timeout`` seconds; pppd is stopped then. InterfaceGoneError: it was up, and is not any more.
        """
        end = time.monotonic() + timeout
        while True:
            try:
                with waiting():
                    event = self._events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                last = self._last_line()
                self.stop()
                unanswered = self._course.waits_for_pap and not self._refuses
                why = NO_ANSWER_TO_PAP if unanswered else "PPP was not up"
                raise PppError(
                    f"{why} within {timeout:g} s; the last that pppd said: {last}", ADVICE[PppError]
                ) from None
            # Who refuses has just said so, and the other side has to hear it before the line is hung up. Who was
            # refused goes at once: pppd itself would go on for three seconds (RFC 1661, state Stopping).
            heard = isinstance(event, Refused) and self._refuses and self.wait_end(TERMINATE_SECONDS)
            if isinstance(event, Refused | Ended | Unanswered) and not heard:
                self.stop()
            if event is None or not self.running:
                raise self.failure()
            if isinstance(event, Addresses):
                return self._report(event)

    def _report(self, addresses: Addresses) -> PppUp:
        mtu = self.namespace.mtu(self._course.interface)
        self.namespace.use_plain_queue(self._course.interface)
        return PppUp(
            self._course.interface, addresses.local, addresses.peer, self._name_servers(), mtu, self._course.auth
        )

    def _name_servers(self) -> tuple[IPv4Address, ...]:
        """What ``usepeerdns`` left: pppd writes it before it tells the addresses (ipcp.c)."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._folder / "resolv.conf").read_text().splitlines()
            words = [line.split() for line in lines]
            found = [IPv4Address(word[1]) for word in words if len(word) == 2 and word[0] == "nameserver"]
            return tuple(dict.fromkeys(found))
        return ()

    def wait_echo(self, timeout: float) -> bool:
        """Wait for the peer's next answer to an LCP echo request; whether it came within so many seconds."""
        self._echoed.clear()
        with waiting():
            return self._echoed.wait(timeout)

    def wait_end(self, timeout: float | None) -> bool:
        """Wait until pppd has ended; whether it has, within ``timeout`` seconds."""
        return self._program.wait(timeout)

    @property
    def running(self) -> bool:
        return self._program.running

    @property
    def is_up(self) -> bool:
        """Whether addresses were agreed on, and the session goes on."""
        return self.running and self._course.up

    @property
    def exit_code(self) -> int | None:
        """pppd's own exit code; None while it runs, negative for the signal that killed it."""
        return self._program.exit_code

    def failure(self) -> PppError | CannotRunError:
        """Why the session ended, as the error that it means to whoever wanted it.

        What was said on the way counts before the exit code, which is that of our own stop when the end
        was seen coming.
        """
        return self._course.failure(self.exit_code, self._last_line())

    def _last_line(self) -> str:
        # Of a copy: the thread that reads adds to them, and a deque that changes is an error to who goes through it.
        return next((line for line in reversed(tuple(self.lines)) if line), "nothing")

    def give_up(self) -> None:
        """From another thread: the line is gone, by what somebody else knows. It ends as when a modem hangs up."""
        self._program.signal(signal.SIGHUP)

    def stop(self) -> None:
        """End the session and wait for its end.

        In order where it is up (Terminate-Request) or still held; where it is neither, or the peer does not
        answer, by hanging up; by force when pppd does not notice even that. Raises PppError when the kernel
        does not end it even then.
        """
        in_order = not self._released or (self._course.up and not self._course.ending)
        if self.running:
            self._program.signal(signal.SIGTERM)
            self._close_gate()
        if self.running and not (in_order and self.wait_end(TERMINATE_SECONDS)):
            with contextlib.suppress(OSError):
                syscalls.hang_up_terminal(self._terminal)
        if self.running and not self.wait_end(END_SECONDS):
            self._program.kill_with_children()  # its connect script is one
        ended = self.wait_end(KILL_SECONDS)
        self._clean_up()
        if not ended:
            raise PppError(f"pppd, pid {self._program.pid}, did not end {KILL_SECONDS:g} s after it was killed")
