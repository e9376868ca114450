"""The near end, the side that calls home: a port, a modem on it, a call, a PPP session over the call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from drivers.base.errors import CallError, CarrierLostError, NoModemError, PortLostError, PppError, RigError
from drivers.base.secret import Secret
from drivers.modem import at, call, profile
from drivers.modem.call import Connection
from drivers.modem.identity import Identity
from drivers.modem.modem import Modem
from drivers.modem.profile import PortFacts, Profile
from drivers.modem.result_codes import Result
from drivers.net.namespace import NetworkNamespace
from drivers.ppp import ppp_log
from drivers.ppp.pppd import Pppd, PppOptions, PppUp
from drivers.serial import layouts
from drivers.serial.ports import Port, matching_ports, one_of, port_at
from drivers.serial.serial_line import SerialLine
from rig.config.bench import Bench, ModemTable
from rig.console import firewall as console_firewall
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.run.trace import Trace

PPP_OPTIONS = (
    "noauth", "noipdefault", "defaultroute", "usepeerdns", "ipcp-accept-local", "ipcp-accept-remote",
    "nobsdcomp", "nodeflate", "refuse-eap", "refuse-mschap", "refuse-mschap-v2",
    "lcp-echo-interval", "20", "lcp-echo-failure", "3", "asyncmap", "0",
    # A far end whose PPP comes a moment after its CONNECT misses the first packet: it is repeated after one second,
    # not three, and for as long as before.
    "lcp-restart", "1", "lcp-max-configure", "30",
)  # fmt: skip
QUEUED_BYTES = 8192
LOST_SECONDS = 1.0
"""How long pppd may take to notice a line that something else has just missed."""


class NearEnd:
    """One caller. ``namespace`` is where its PPP interface appears; ``folder`` takes its sessions' files; ``auth``:
    how it lets itself be authenticated. ``record``: where pppd is to record what goes over the line; see
    drivers.ppp.line_record."""

    def __init__(
        self,
        bench: Bench,
        port: str,
        namespace: NetworkNamespace,
        folder: Path,
        secret: Secret,
        progress: Progress,
        auth: Literal["pap", "chap"] = "pap",
    ) -> None:
        self.bench = bench
        self.port = port
        self.namespace = namespace
        self.secret = secret
        self.identity = Identity()
        self.profile: Profile | None = None
        self.speed = 0
        self.rate = 0
        self.record: Path | None = None
        self._auth = auth
        self._folder = folder
        self._progress = progress
        self._line: SerialLine | None = None
        self._modem: Modem | None = None
        self._pppd: Pppd | None = None
        self._counted = False

    @classmethod
    def owned_by(
        cls,
        owner: Owner,
        bench: Bench,
        port: str,
        secret: Secret,
        progress: Progress,
        role: str = "hmc",
        auth: Literal["pap", "chap"] = "pap",
    ) -> Self:
        """A near end in a namespace of its own, behind its own firewall; its owner takes both down."""
        namespace = owner.namespace(role)
        console_firewall.put_up(namespace, bench.near_end.allow)
        return owner.own(cls(bench, port, namespace, owner.folder, secret, progress, auth))

    def open(self) -> None:
        """Take the port, bring the modem to a known state, ask it who it is, and have pppd ready for the call."""
        table = self.bench.near_end.modem
        with self._progress.step(f"modem on {self.port}"):
            named = profile.named(table.profile) if table.profile else None
            facts = named.port if named else PortFacts()
            self.speed = table.speed or facts.speed
            self._line = SerialLine(self.port, self.speed, rtscts=False)  # CTS may not be wired
            for lack in self._line.lacking:
                self._progress.note(f"{self.port}: {lack}")
            self.profile = named
            if named is None or not named.direct:
                self._prepare_modem(self._line)
            wired = self.profile is not None and self.profile.port.flow_control
            if self._line.set_flow_control(wired) != wired:
                self._progress.note(f"{self.port}: CTS is off; a cable of three wires? RTS and CTS are not used")
        with self._starting_pppd():
            self._pppd = self._make_pppd(self._line.fileno())

    @contextlib.contextmanager
    def _starting_pppd(self) -> Iterator[None]:
        with self._progress.step("starting pppd, held until a call connects"):
            if self._counted:
                console_firewall.begin_to_count(self.namespace)
            self._counted = True  # the first call finds the counters as they were made
            yield

    def _prepare_modem(self, line: SerialLine) -> None:
        self._modem = Modem(line, self._notice, self._progress.trace.said)
        if self.profile is not None:
            self._modem.follow(self.profile)
        self._modem.reset()
        self.identity = self._modem.identify()
        if self.profile is None:
            port = port_at(self.port)
            self.profile = profile.recognise(self.identity, port.vendor, port.model)
        self._modem.follow(self.profile)
        self._modem.configure(*self._modem_lines())

    def _modem_lines(self) -> tuple[str, ...]:
        """What the modem is told beyond what its make needs."""
        table = self.bench.near_end.modem
        return call.settings(table.carrier_wait, table.init)

    @property
    def trace(self) -> Trace:
        """What was said on it."""
        return self._progress.trace

    @property
    def modem(self) -> Modem:
        if self._modem is None:
            raise NoModemError(f"{self.port}: the modem is not open")
        return self._modem

    def dial(self, number: str) -> Connection:
        """Call a number; see Modem.dial for what it raises."""
        if self.profile is not None and self.profile.direct:
            self._progress.note(f"null modem: {number} is not dialled, the far end is there")
            return Connection("NULL MODEM", self.speed)
        timeout = self.bench.near_end.modem.carrier_wait + 30.0
        self._progress.begin(f"dialling {number}")
        try:
            connection = self.modem.dial(number, timeout)
        except CallError as error:
            self._progress.end(error.result)
            raise
        self._progress.end(connection.text)
        self.rate = connection.rate
        return connection

    def line_seconds(self) -> float:
        """How long the line takes for what may be queued before it: a terminal's buffer, a modem's. 0 where the modem
        did not say how fast it is."""
        return QUEUED_BYTES * 10 / self.rate if self.rate else 0.0

    def _ppp_words(self) -> tuple[str, ...]:
        """What pppd is told beyond what every session needs, and before the bench's own options."""
        return (*PPP_OPTIONS, *(() if self._auth == "chap" else ("refuse-chap",)))

    def _client(self) -> Secret | None:
        """What we say of ourselves to the other side."""
        return self.secret

    def _make_pppd(self, terminal: int, *, l2tp: bool = False) -> Pppd:
        options = (*self._ppp_words(), *self.bench.near_end.ppp.options)
        return Pppd(
            terminal,
            PppOptions(options, self._client(), l2tp, self.record),
            self.namespace,
            self._folder,
            notice=self._ppp_notice,
            log=self._ppp_line,
        )

    def start_ppp(self) -> PppUp:
        """Negotiate PPP over the call until IP is up; see Pppd.wait_up for what it raises."""
        self._progress.begin("LCP")
        try:
            self._release()
            up = self.session.wait_up(self.bench.near_end.ppp.timeout)
        except BaseException as error:
            self._progress.fail(error)
            if isinstance(error, CarrierLostError):
                raise self.failure() from None
            raise
        self._progress.end()
        return up

    def _release(self) -> None:
        self.session.release()

    @property
    def session(self) -> Pppd:
        if self._pppd is None:
            raise NoModemError(f"{self.port}: there is no PPP session; the port is not open")
        return self._pppd

    def failure(self) -> RigError:
        """Why the session ended; a port that is there no more explains more than pppd can."""
        if self._line is not None and not self._line.present:
            return CarrierLostError(
                f"{self.port} went away: the modem was unplugged, or lost its power",
                "plug it in again; rig detect --watch   shows it come and go",
            )
        return self.session.failure()

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

    def end_session(self) -> None:
        """End PPP in order; the call stays until :meth:`hang_up`."""
        if self._pppd is not None:
            pppd, self._pppd = self._pppd, None
            pppd.stop()

    def hang_up(self) -> None:
        """End session and call: DTR falls as the port closes, which every modem takes as hang-up (&D2)."""
        self.end_session()
        if self._line is not None:
            with contextlib.suppress(PortLostError):
                self._line.hang_up()
            self._line.close()
            self._line, self._modem = None, None

    stop = hang_up

    def _notice(self, event: at.Event) -> None:
        if isinstance(event, Result):
            (self._progress.detail if event.final else self._progress.note)(event.text)
        elif isinstance(event, at.Text):
            self._progress.detail(event.line)

    def _ppp_line(self, line: str) -> None:
        self._progress.trace.ppp_line(line)
        self._progress.detail(line)

    def _ppp_notice(self, event: ppp_log.Event) -> None:
        if isinstance(event, ppp_log.Reached) and event.phase not in (ppp_log.Phase.LCP, ppp_log.Phase.UP):
            self._progress.begin(event.phase.value)
        elif isinstance(event, ppp_log.Refused):
            self._progress.end(f"refused: {event.reason}")


def near_port(bench: Bench) -> str:
    """Where a bench's near end finds its modem: at a partition, or as :func:`modem_port`."""
    remote = bench.near_end.remote_modem
    return str(remote.partition) if remote is not None else modem_port(bench.near_end.modem)


def modem_port(modem: ModemTable) -> str:
    """The port of a real modem. Raises NoModemError, naming what there is, when it is not there."""
    return modem.port or modem.url or dialling_port(matching_ports(modem.filters), modem.filters).device


def dialling_port(ports: list[Port], wanted: dict[str, str]) -> Port:
    """The port of those found that dials: where they are all one modem's, its profile or layout says which that is."""
    if len({port.device_path for port in ports}) == 1:
        known = [each.port.interface for each in profile.by_usb(ports[0].vendor, ports[0].model)]
        for interface in (*known, layouts.dials(ports[0].vendor, ports[0].model)):
            ports = [port for port in ports if port.interface_number == interface] or ports
    return one_of(ports, wanted)
