"""The LIG: answers each line of its hunt groups, authenticates by PAP, assigns an address from its pool, puts
the fence up before the address is usable, and takes it away with the session (the paper's §3.1).

One thread a line; the modem is answered with the same driver that dials.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.base import syscalls
from rig.drivers.base.errors import (
    CallError,
    CannotRunError,
    ModemSilentError,
    NoModemError,
    PortLostError,
    PppError,
    RigError,
    as_outcome,
)
from rig.drivers.base.secret import Secret
from rig.drivers.modem.bring_up import bring_up, opened
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.profile import PortFacts, Profile
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp import ppp_log
from rig.drivers.ppp.misbehaving import line as misbehaving
from rig.drivers.ppp.misbehaving.gateways import GATEWAYS
from rig.drivers.ppp.misbehaving.peer import Peer
from rig.drivers.ppp.misbehaving.roles import Gateway
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.drivers.serial.serial_line import SerialLine
from rig.parts.fence_mutants import BY_NAME
from rig.parts.gateway_fence import GatewayFence, Pool, PoolEmptyError
from rig.parts.lig.name_server import NameServer
from rig.parts.mutation import GatewayMutant
from rig.run.control import Handler, serve_in_thread
from rig.run.journal import Journal

MISBEHAVING_SECONDS = 600.0
RETRY_SECONDS = 0.2
THREAD_SECONDS = 3.0
LINE_SECONDS = 60.0
INIT = "ATS10=3"
"""A gateway wants its line back soon after a caller has gone: carrier may be away for 0.3 s (S10)."""

_log = logging.getLogger("lig")
_pppd_log = _log.getChild("pppd")


@dataclass(frozen=True)
class LigLine:
    """A line that the LIG answers: a device's path, or a pyserial URL. ``ppp`` False: a modem with nothing behind it,
    or, with a ``manner``, a PPP peer that misbehaves so (rig.drivers.ppp.misbehaving.gateways).

    ``profile``: of its modem, where it has one; ``speed`` in bit/s, 0 for the profile's; ``commands``: what it is told
    beyond what its make needs.
    """

    port: str
    accounts: tuple[Secret, ...]
    ppp: bool = True
    profile: Profile | None = None
    speed: int = 0
    commands: tuple[str, ...] = ()
    manner: str = ""

    @property
    def name(self) -> str:
        """For a log."""
        return self.port.rpartition("/")[2]

    @property
    def facts(self) -> PortFacts:
        """Of its modem's port."""
        return self.profile.port if self.profile else PortFacts()

    @property
    def direct(self) -> bool:
        return self.profile is not None and self.profile.direct


@dataclass(frozen=True)
class LigPlan:
    """What the gateway is to be. ``folder`` takes its sockets and its sessions' files. ``patience``: seconds that a
    caller may take to his address: one who takes longer holds a line that is somebody else's."""

    namespace: str
    folder: Path
    address: IPv4Address
    pool: IPv4Network
    fence: Destinations
    names: dict[str, IPv4Address]
    lines: tuple[LigLine, ...]
    patience: float

    @property
    def control_path(self) -> Path:
        return self.folder / "lig.sock"


def _tell(line: LigLine, event: ppp_log.Event) -> None:
    """What a caller does, for a person."""
    match event:
        case ppp_log.Authenticated(protocol):
            _log.info("%s: authenticated by %s", line.name, protocol)
        case ppp_log.Refused(reason):
            _log.warning("%s: refused: %s", line.name, reason)
        case ppp_log.Addresses(_, peer):
            _log.info("%s: the caller is %s", line.name, peer)
        case ppp_log.Ended(reason):
            _log.info("%s: %s", line.name, reason)


class Lig:
    """The gateway's process: its lines, its sessions, its name server."""

    def __init__(self, plan: LigPlan) -> None:
        self.plan = plan
        self.namespace = NetworkNamespace(plan.namespace)
        self.pool = Pool(plan.pool)
        self.fence = GatewayFence(self.namespace, plan.fence, BY_NAME, _log, self._break)
        self._in_session: set[str] = set()
        self._open_lines: set[SerialLine] = set()
        self._held: set[Pppd] = set()
        self._failure: RigError | None = None
        self._idle: set[str] = set()
        self._idle_changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # --- its own network -----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Addresses of the utility services, no forwarding but the fence's, the name server."""
        addresses = (IPv4Interface(f"{address}/32") for address in self.plan.fence.name_servers)
        self.namespace.add_address("lo", *addresses)
        self.fence.prepare()
        self._name_server = NameServer(self.plan.fence.name_servers, self.plan.names, self.namespace.enter_for_good)

    def _break(self, mutant: GatewayMutant | None) -> None:
        """What of a mutant is not the fence's."""
        self._name_server.answer_any_name(self.plan.address if mutant is not None and mutant.any_name else None)

    # --- its lines -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Answer on every line, each in a thread of its own; returns when every modem is ready."""
        ready = []
        for unit, line in enumerate(self.plan.lines):
            event = threading.Event()
            thread = threading.Thread(target=self._serve, args=(unit, line, event), name=line.name, daemon=True)
            thread.start()
            self._threads.append(thread)
            ready.append((line, event))
        self._name_server.wait_ready()
        for line, event in ready:
            # The event is set by a modem that is ready, and by a line that finds that nothing can run here.
            if not event.wait(LINE_SECONDS):
                raise NoModemError(f"{line.port}: the gateway's modem was not ready within {LINE_SECONDS:g} s")
            if self._failure is not None:
                raise self._failure

    def _serve(self, unit: int, line: LigLine, ready: threading.Event) -> None:
        while not self._stopping.is_set():
            try:
                self._serve_once(unit, line, opened(line.port, line.profile, line.speed), ready)
            except (CallError, PortLostError, PppError) as error:
                _log.info("%s: %s", line.name, error)
            except CannotRunError as error:
                self._failure = error
                ready.set()
                return
            except Exception as error:  # noqa: BLE001 - a line that nobody answers any more would look like a busy one
                if isinstance(error, RigError):
                    _log.warning("%s: %s", line.name, error)
                else:
                    _log.exception("%s: it goes on with the next call", line.name)
                if not ready.is_set():  # one that was there may come back; one that never was is an error
                    self._failure = as_outcome(error)
                    ready.set()
                    return
                self._stopping.wait(RETRY_SECONDS)

    def _serve_once(self, unit: int, line: LigLine, serial: SerialLine, ready: threading.Event) -> None:
        """A line that is open, to the end of its call."""
        with serial:
            self._open_lines.add(serial)
            try:
                self._answer(unit, line, serial, ready)
            finally:
                self._open_lines.discard(serial)
                with contextlib.suppress(PortLostError):
                    serial.hang_up()

    def _answer(self, unit: int, line: LigLine, serial: SerialLine, ready: threading.Event) -> None:
        """One call, from RING to hang-up."""
        modem = None if line.direct else self._ready_modem(line, serial)
        if modem is not None:
            self._await_call(line, modem, ready)
        if line.ppp:
            # Between RING and the answer: a pppd that is there already hears the caller's first packet, one that starts
            # at CONNECT misses it; and one a line, held from the beginning, is most of what a gateway costs.
            servers = [word for server in self.plan.fence.name_servers for word in ("ms-dns", str(server))]
            with self._pppd(line, serial, (f"{self.plan.address}:", "unit", str(unit), *servers)) as pppd:
                if modem is None:
                    self._await_call(line, modem, ready)
                self._session(unit, line, serial, modem, pppd)
        elif line.manner:
            if modem is None:
                self._await_call(line, modem, ready)
            else:
                modem.answer()
            peer = Peer(Gateway(lambda: secrets.token_bytes(4)), GATEWAYS[line.manner])
            _log.info("%s: %s", line.name, misbehaving.run(serial.fileno(), peer, MISBEHAVING_SECONDS, self._stopping))
        elif modem is not None:
            modem.answer()
            with contextlib.suppress(ModemSilentError):
                modem.wait_for_ring(timeout=None)  # nothing behind the modem: it listens until carrier goes

    @staticmethod
    def _ready_modem(line: LigLine, serial: SerialLine) -> Modem:
        modem = Modem(serial)
        bring_up(modem, line.profile, lambda _: (INIT, *line.commands))
        return modem

    def _await_call(self, line: LigLine, modem: Modem | None, ready: threading.Event) -> None:
        """Until RING; over a null modem the call is there as soon as somebody speaks, and pppd hears that."""
        with self._idle_changed:
            self._idle.add(line.port)
            self._idle_changed.notify_all()
        ready.set()
        if modem is None:
            return
        try:
            modem.wait_for_ring()
        finally:
            with self._idle_changed:
                self._idle.discard(line.port)

    def _session(self, unit: int, line: LigLine, serial: SerialLine, modem: Modem | None, pppd: Pppd) -> None:
        """The address and its fence are ready before the call is answered."""
        try:
            address = self.pool.take()
        except PoolEmptyError:
            _log.warning("%s: no address is free; the caller is told that there is no IP here", line.name)
            pppd.stop()
            # noipdefault: pppd would ask the name service for this machine's own address, and wait for it.
            with self._pppd(line, serial, ("noip", "noipdefault")) as without_ip:
                without_ip.admit(line.accounts, self.plan.address)
                self._run(line, modem, without_ip)
            return
        try:
            session = FencedSide(f"ppp{unit}", address)
            with self.fence.around(session):
                pppd.admit(line.accounts, address)
                self._run(line, modem, pppd)
        finally:
            self.pool.give_back(address)

    def _run(self, line: LigLine, modem: Modem | None, pppd: Pppd) -> None:
        _log.info("%s: %s", line.name, modem.answer().text if modem else "null modem")
        self._in_session.add(line.name)
        try:
            pppd.release()
            if modem is not None and not pppd.wait_end(self.plan.patience) and not pppd.is_up:
                _log.warning("%s: the caller has no address after %g s, and is hung up", line.name, self.plan.patience)
                pppd.stop()
            pppd.wait_end(None)
            _log.info("%s: pppd ended with %s", line.name, pppd.exit_code)
        finally:
            self._in_session.discard(line.name)

    @contextlib.contextmanager
    def _pppd(self, line: LigLine, serial: SerialLine, options: tuple[str, ...]) -> Iterator[Pppd]:
        """A pppd on the line, held; stopped at the end, whatever it was doing."""
        words = (
            # silent: the caller speaks first.
            "auth", "require-pap", "refuse-chap", "refuse-mschap", "refuse-eap", "silent", "nobsdcomp", "nodeflate",
            "lcp-echo-interval", "30", "lcp-echo-failure", "4", "asyncmap", "0",
        )  # fmt: skip
        pppd = Pppd(
            serial.fileno(),
            PppOptions((*words, *options)),
            self.namespace,
            self.plan.folder,
            notice=functools.partial(_tell, line),
            log=lambda text: _pppd_log.info("%s: %s", line.name, text),
        )
        self._held.add(pppd)
        try:
            yield pppd
        finally:
            pppd.stop()
            self._held.discard(pppd)

    def stop(self) -> None:
        """End every session in order, then the name server."""
        self._stopping.set()
        stoppers = [threading.Thread(target=pppd.stop) for pppd in list(self._held)]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        for serial in list(self._open_lines):
            with contextlib.suppress(OSError):
                syscalls.hang_up_terminal(serial.fileno())  # wakes the thread that waits for its RING
        for thread in self._threads:
            thread.join(THREAD_SECONDS)
        self._name_server.stop()
        _log.info("stopped")

    # --- what a test may ask ---------------------------------------------------------------------------------

    def wait_idle(self, seconds: float) -> bool:
        """Wait until every line waits for its next call; whether that came within ``seconds``."""
        with self._idle_changed:
            return self._idle_changed.wait_for(lambda: len(self._idle) == len(self.plan.lines), seconds)

    def session_count(self) -> int:
        return len(self._in_session)


def main(plan: LigPlan, *, ready: Callable[[], None]) -> None:
    """Run the gateway until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    logging.getLogger("sh").setLevel(logging.WARNING)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    journal = Journal("lig")
    lig = Lig(plan)
    lig.prepare()
    lig.start()
    handlers: dict[str, Handler] = {
        **lig.fence.handlers,
        "session_count": lig.session_count,
        "wait_idle": lig.wait_idle,
        "journal": journal.since,
    }
    serve_in_thread(plan.control_path, handlers)
    ready()
    stop.wait()
    lig.stop()
