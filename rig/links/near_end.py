"""One end of a call: a console, the link that its calls go over, and PPP on that, as who calls or as who answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from rig.config.bench import PppTable
from rig.console.console import Console
from rig.drivers.base.errors import CallError, CarrierLostError, InterfaceGoneError, NoModemError, PppError, RigError
from rig.drivers.base.line_rate import BITS_A_BYTE
from rig.drivers.modem.call import Connection
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp import ppp_log
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.drivers.ppp.up import PppUp
from rig.links.link import Link
from rig.links.modem_line import ModemLine
from rig.links.ppp_role import Role
from rig.run.progress import Progress
from rig.run.trace import Trace

QUEUED_BYTES = 8192
LOST_SECONDS = 1.0
"""How long pppd may take to notice a line that something else has just missed."""


class NearEnd:
    """``ppp``: the bench's words for it. ``record``: where pppd is to record what goes over the line; see
    rig.drivers.ppp.line_record. ``default_route``: whether who calls goes everywhere by it."""

    def __init__(self, console: Console, link: Link, role: Role, ppp: PppTable, progress: Progress) -> None:
        self.console = console
        self.link = link
        self.role = role
        self.ppp = ppp
        self.record: Path | None = None
        self.default_route = True
        self.authenticated = False
        self._progress = progress
        self._pppd: Pppd | None = None

    @property
    def namespace(self) -> NetworkNamespace:
        """Where its PPP interface appears."""
        return self.console.namespace

    @property
    def port(self) -> str:
        return self.link.port

    @property
    def trace(self) -> Trace:
        """What was said on it."""
        return self._progress.trace

    @property
    def modem(self) -> Modem:
        """That of a link that has one of its own. Raises NoModemError."""
        if not isinstance(self.link, ModemLine):
            raise NoModemError(f"{self.port}: there is no modem of our own here")
        return self.link.modem

    def open(self) -> None:
        """Take the port, bring what is there to a known state, and have pppd ready for the call."""
        self.link.open()
        self.hold_pppd()

    def hold_pppd(self) -> None:
        """Have pppd ready for when a call connects."""
        if self._pppd is not None:
            return
        self.authenticated = False
        with self._progress.step("starting pppd, held until a call connects"):
            self.console.begin_to_count()
            route = () if self.default_route else ("nodefaultroute",)
            options = (*self.role.words(), *route, *self.link.words, *self.ppp.options)
            self._pppd = Pppd(
                self.link.terminal(),
                PppOptions(options, self.role.client, self.link.l2tp, self.record),
                self.namespace,
                self.console.folder,
                notice=self._ppp_notice,
                log=self._ppp_line,
            )
            self.role.admit(self._pppd)

    def dial(self, number: Number) -> Connection:
        """Call a number. Raises as the link does."""
        return self.connect(lambda: self.link.dial(number))

    def connect(self, call: Callable[[], Connection]) -> Connection:
        """Have the link connect, with a pppd that is ready for it. Raises as ``call`` does."""
        self.hold_pppd()  # that of a call that failed may be gone with it
        try:
            return call()
        except CallError:
            if not self.link.lasts:
                self.end_session()
            raise

    def line_seconds(self) -> float:
        """How long the line takes for what may be queued before it: a terminal's buffer, a modem's. 0 where the modem
        did not say how fast it is."""
        return QUEUED_BYTES * BITS_A_BYTE / self.link.rate if self.link.rate else 0.0

    def line_is_alive(self, seconds: float) -> bool:
        """Whether an LCP echo request is answered within so many seconds."""
        return self.session.wait_echo(seconds)

    def start_ppp(self) -> PppUp:
        """Negotiate PPP over the call until IP is up; see Pppd.wait_up for what it raises."""
        self._progress.begin("LCP")
        try:
            self.link.release(self.session)
            up = self.session.wait_up(self.ppp.timeout)
        except BaseException as error:
            self._progress.fail(error)
            if isinstance(error, InterfaceGoneError):
                self.session.wait_end(LOST_SECONDS)
                raise InterfaceGoneError(f"IP was up, and at once it ended: {self.failure()}") from error
            if isinstance(error, CarrierLostError):
                raise self.failure() from None
            raise
        self._progress.end()
        return up

    @property
    def session(self) -> Pppd:
        if self._pppd is None:
            raise NoModemError(f"{self.port}: there is no PPP session; the port is not open")
        return self._pppd

    def failure(self) -> RigError:
        """Why the session ended: what the link knows of it explains more than pppd can."""
        return self.link.failure() or self.session.failure()

    @contextlib.contextmanager
    def in_session(self) -> Iterator[None]:
        """What is done over the session. Whatever fails there because the line was lost, in whichever words, is what
        ended the session."""
        try:
            yield
        except PppError:
            raise
        except Exception as error:
            if self.session.wait_end(LOST_SECONDS):
                raise self.failure() from error
            raise

    def lost(self) -> None:
        """From another thread: the link is gone, and pppd cannot see it."""
        if self._pppd is not None:
            self._pppd.give_up()

    def end_session(self) -> None:
        """End PPP in order; the call stays until :meth:`hang_up`."""
        if self._pppd is not None:
            pppd, self._pppd = self._pppd, None
            pppd.stop()

    def hang_up(self) -> None:
        """End session and call, and let the port go."""
        self.end_session()
        self.link.hang_up()

    stop = hang_up

    def _ppp_line(self, line: str) -> None:
        self._progress.trace.ppp_line(line)
        self._progress.detail(line)

    def _ppp_notice(self, event: ppp_log.Event) -> None:
        if isinstance(event, ppp_log.MapAgreed):
            self.link.agreed(event)
        elif isinstance(event, ppp_log.Authenticated):
            self.authenticated = True
        elif isinstance(event, ppp_log.Reached) and event.phase not in (ppp_log.Phase.LCP, ppp_log.Phase.UP):
            self._progress.begin(event.phase.value)
        elif isinstance(event, ppp_log.Refused):
            self._progress.end(f"refused: {event.reason}")
