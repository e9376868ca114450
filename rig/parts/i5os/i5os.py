"""The i5/OS partition that lends its modem (the paper's §2.1.4.2): the LAC of RFC 2661's two kinds of call.

It dials, for an outgoing call, and answers, for an incoming one, through the same driver as any near end does, and
joins the modem's line to the session inside the kernel: PPP passes through it, and it has no part in that.
"""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rig.drivers.base.errors import CallError, RigError, UsageError
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import CALL_ERRORS, CallAccepted, CallAsked, CallEnded, LinkInfo, TunnelEnded, TunnelUp
from rig.drivers.l2tp.header import Error
from rig.drivers.l2tp.results import CallResult
from rig.drivers.l2tp.runner import Runner
from rig.drivers.l2tp.tunnel import Tunnel
from rig.drivers.modem.number import Number
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.serial.serial_line import DTR_OFF_SECONDS
from rig.parts.i5os.lac_modem import LacModem, LacModemPlan
from rig.run.control import serve_in_thread
from rig.run.journal import Journal

if TYPE_CHECKING:
    from rig.parts.i5os.hop import Hop, HopPlan

OFFER_SECONDS = 20.0
"""How long a near end may take to say whether it wants a call that rings here."""
QUEUE_SECONDS = 5.0
"""How long a call waits for a modem, such as one whose last call has just ended, before it is refused."""
_log = logging.getLogger("i5os")


@dataclass(frozen=True)
class I5osPlan:
    """What the partition is to be. ``peers`` that may have a tunnel; ``numbers``: patterns of those that may be
    dialled; ``hello``: seconds of silence after which a peer is asked whether it is there; ``hop``: to a VPN gateway,
    whose number is called for it."""

    namespace: str
    folder: Path
    modems: tuple[LacModemPlan, ...]
    peers: tuple[IPv4Address, ...]
    secret: bytes = field(repr=False, default=b"")
    numbers: tuple[str, ...] = ("*",)
    hello: float = 60.0
    hop: HopPlan | None = None

    @property
    def control_path(self) -> Path:
        return self.folder / "i5os.sock"


class Carrier(Protocol):
    """What carries a call beyond the partition: a modem that it lends, or the hop to a VPN gateway."""

    @property
    def name(self) -> str: ...

    def join(self, session: socket.socket) -> None:
        """Join the console's session to it."""

    def set_link(self, send: int, receive: int) -> None:
        """What the console's PPP has agreed to escape (SLI)."""

    def wait_for_the_end(self) -> bool:
        """Until its other end is gone, which is True, or :meth:`let_go` is called."""

    def let_go(self) -> None:
        """From another thread: the call is over."""


class LendingPartition:
    """The partition's L2TP service."""

    def __init__(self, plan: I5osPlan) -> None:
        self.plan = plan
        self.modems = [LacModem(each) for each in plan.modems]
        self.refused: dict[str, int] = {}
        self._taken: dict[tuple[int, int], Carrier] = {}
        self.hop: Hop | None = None
        self._offers: dict[tuple[int, int], threading.Event] = {}
        self._tunnels: dict[Tunnel, socket.socket] = {}
        self._freed = threading.Condition()
        self._freed_woken, self._freed_wake = os.pipe()
        self._namespace = NetworkNamespace(plan.namespace)
        for modem in self.modems:
            modem.prepare()
        endpoint = Endpoint(Identity("i5os", plan.secret, plan.hello), self._allowed)
        self.runner = Runner(endpoint, self._namespace, self._told)
        self.runner.listen()
        threading.Thread(target=self._listen, daemon=True, name="ringing").start()

    def _allowed(self, peer: object) -> bool:
        assert isinstance(peer, tuple)
        if IPv4Address(peer[0]) in self.plan.peers:
            return True
        self._refuse("peer", f"{peer[0]} may have no tunnel")
        return False

    def _refuse(self, what: str, why: str) -> None:
        self.refused[what] = self.refused.get(what, 0) + 1
        _log.warning("refused: %s", why)

    def _told(self, told: Told) -> None:
        match told.event:
            case TunnelUp(host):
                self._tunnel_up(told.tunnel, host)
            case TunnelEnded(end, _):
                _log.info("tunnel ended: %s", end)
                if (made := self._tunnels.pop(told.tunnel, None)) is not None:
                    made.close()
            case CallAsked(call, number, sub_address):
                self._asked(told.tunnel, call, number, sub_address)
            case CallEnded(call, end, True):
                _log.info("the peer ended call %d: %s", call, end)
                if (modem := self._taken.get((told.tunnel.own, call))) is not None:
                    modem.let_go()
                self._offer_answered(told.tunnel, call)
            case CallAccepted(call):
                self._offer_answered(told.tunnel, call)
            case LinkInfo(call, send, receive):
                _log.info("call %d: escape %#010x on the line, and expect %#010x", call, send, receive)
                if (modem := self._taken.get((told.tunnel.own, call))) is not None:
                    modem.set_link(send, receive)

    def _offer_answered(self, tunnel: Tunnel, call: int) -> None:
        """Whoever waits for that goes on; an answer that came too late finds nobody."""
        if (answered := self._offers.get((tunnel.own, call))) is not None:
            answered.set()

    def _tunnel_up(self, tunnel: Tunnel, host: str) -> None:
        with self.runner.using() as now:
            self.runner.endpoint.end_others(tunnel, now)
            peer, udp = self.runner.peer_of(tunnel), self.runner.socket_of(tunnel)
        _log.info("tunnel with %s, %s", host, peer[0])
        with self._namespace.entered():
            made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, IPv4Address(peer[0]))
        self._tunnels[tunnel] = made

    def _asked(self, tunnel: Tunnel, call: int, called: str, wanted: str) -> None:
        if self.hop is not None and called == self.hop.plan.number:
            threading.Thread(target=self._serve_hop, args=(tunnel, call, self.hop, wanted), daemon=True).start()
            return
        try:
            number = self._permitted(called)
        except UsageError as error:
            self._refuse("number", str(error))
            self._end(tunnel, call, CallResult.INVALID_DESTINATION, str(error))
            return
        threading.Thread(target=self._serve, args=(tunnel, call, number), daemon=True).start()

    def _permitted(self, called: str) -> Number:
        """A Called Number (RFC 2661 §4.4.3) that may be dialled. Raises UsageError."""
        if not any(fnmatch.fnmatchcase(called, pattern) for pattern in self.plan.numbers):
            raise UsageError(f"{called} may not be dialled")
        return Number(called)

    # --- calls that the near end asks for ------------------------------------------------------------------------

    def _free_modem(self) -> LacModem | None:
        """One that is free, or becomes so within QUEUE_SECONDS."""
        with self._freed:
            self._freed.wait_for(lambda: not all(one.busy for one in self.modems), QUEUE_SECONDS)
            found = next((one for one in self.modems if not one.busy), None)
            if found is not None:
                self._take(found)
            return found

    def _take(self, modem: LacModem) -> None:
        """Nobody else has it from now on, and it is not listened to."""
        modem.busy = True
        os.write(self._freed_wake, b"\n")

    def _serve(self, tunnel: Tunnel, call: int, number: Number) -> None:
        """One call, in a thread of its own: a modem, dial, join, wait for its end."""
        modem = self._free_modem()
        if modem is None:
            self._refuse("modem", "every modem is in use")
            self._end(tunnel, call, CallResult.NO_FACILITIES, "every modem is in use")
            return
        self._taken[tunnel.own, call] = modem
        try:
            with self.runner.using() as now:
                if call not in tunnel.calls:
                    return  # the peer wants it no more: nothing is dialled
                tunnel.accept_call(call, now)
            self._carry(tunnel, call, modem, lambda: modem.dial(number))
        finally:
            del self._taken[tunnel.own, call]
            self._make_ready(modem)

    def _serve_hop(self, tunnel: Tunnel, call: int, hop: Hop, wanted: str) -> None:
        """One call through the VPN, in a thread of its own."""
        one = hop.new_call(wanted)
        self._taken[tunnel.own, call] = one
        try:
            with self.runner.using() as now:
                if call not in tunnel.calls:
                    return
                tunnel.accept_call(call, now)
            self._carry(tunnel, call, one, one.connect)
        finally:
            del self._taken[tunnel.own, call]
            one.hang_up()

    def _make_ready(self, modem: LacModem) -> None:
        """On hook, and in a known state; one that is not to be had is asked again when it is wanted."""
        if modem.connected:
            modem.hang_up()
            threading.Event().wait(DTR_OFF_SECONDS)  # the drop's own length; nothing signals its end
            with contextlib.suppress(RigError):
                modem.prepare()
        modem.forget()
        with self._freed:
            modem.busy = False
            self._freed.notify_all()
        os.write(self._freed_wake, b"\n")

    # --- calls that ring here ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """In a thread of its own: the modems that are free, until one of them rings."""
        while True:
            poller = select.poll()
            poller.register(self._freed_woken, select.POLLIN)
            listening = {modem.fileno(): modem for modem in self.modems if not modem.busy and modem.fileno() >= 0}
            for descriptor in listening:
                poller.register(descriptor, select.POLLIN)
            for descriptor, _ in poller.poll():
                if descriptor == self._freed_woken:
                    os.read(descriptor, 4096)
                    continue
                with self._freed:
                    if listening[descriptor].busy:
                        continue
                    self._take(listening[descriptor])
                threading.Thread(target=self._ringing, args=(listening[descriptor],), daemon=True).start()

    def _ringing(self, modem: LacModem) -> None:
        """Something came from a free modem. A RING is offered to the near ends, the latest first."""
        try:
            if not modem.rings():
                return
            _log.info("%s: it rings", modem.name)
            if not any(self._offer(tunnel, modem) for tunnel in reversed(list(self._tunnels))):
                _log.info("%s: nobody wants the call; the next RING is offered again", modem.name)
        except RigError as error:
            _log.warning("%s: %s", modem.name, error)
            modem.hang_up()
        finally:
            self._make_ready(modem)

    def _offer(self, tunnel: Tunnel, modem: LacModem) -> bool:
        """Offer a call that rings to one near end; whether it took it. The call is over on return."""
        with self.runner.using() as now:
            if tunnel.closed:
                return False
            call = tunnel.offer_call("", modem.plan.number, now)
            key = tunnel.own, call
            answered = self._offers[key] = threading.Event()
            self._taken[key] = modem
        try:
            answered.wait(OFFER_SECONDS)
            with self.runner.using():
                known = tunnel.calls.get(call)
                if known is None:
                    return False
            if not answered.is_set():
                self._end(tunnel, call, CallResult.NOT_IN_TIME, "you did not say whether you want it")
                return False
            self._carry(tunnel, call, modem, modem.answer)
            return True
        finally:
            del self._offers[key], self._taken[key]

    # --- both ----------------------------------------------------------------------------------------------------

    def _carry(self, tunnel: Tunnel, call: int, modem: Carrier, connect: Callable[[], int]) -> None:
        """One call from before its carrier to its end, which the near end is told."""
        try:
            self._connect(tunnel, call, modem, connect)
        except CallError as error:
            results = (CallResult(number) for number, kind in CALL_ERRORS.items() if isinstance(error, kind))
            _log.info("%s: %s", modem.name, error)
            self._end(tunnel, call, next(results, CallResult.NO_FACILITIES), error.result)
        except (RigError, OSError) as error:
            _log.warning("%s: %s", modem.name, error)
            self._end(tunnel, call, CallResult.GENERAL_ERROR, str(error), Error.VENDOR)

    def _connect(self, tunnel: Tunnel, call: int, modem: Carrier, connect: Callable[[], int]) -> None:
        rate = connect()
        _log.info("%s: connected at %d bit/s", modem.name, rate)
        session = self._session(tunnel, call)
        if session is None:  # the peer has ended the call meanwhile
            return
        with session, self._namespace.entered():
            modem.join(session)  # before the peer is told: its first packet must find the way
            with self.runner.using() as now:
                if call not in tunnel.calls:
                    return
                tunnel.call_connected(call, rate, now)
            if modem.wait_for_the_end():
                self._end(tunnel, call, CallResult.CARRIER_LOST, "carrier lost")

    def _session(self, tunnel: Tunnel, call: int) -> socket.socket | None:
        with self.runner.using():
            known = tunnel.calls.get(call)
            if known is None:
                return None
            peer, udp = self.runner.peer_of(tunnel), self.runner.socket_of(tunnel)
        with self._namespace.entered():
            own, theirs = (tunnel.own, call), (tunnel.channel.peer, known.peer)
            return kernel.session_socket(udp, own, theirs, IPv4Address(peer[0]))

    def _end(self, tunnel: Tunnel, call: int, result: CallResult, text: str, error: Error = Error.NONE) -> None:
        with self.runner.using() as now:
            tunnel.end_call(call, result, now, error, text)

    def agreed_on(self) -> dict[str, Any] | None:
        """What the hop has agreed on with its gateway, while its VPN is up; None otherwise."""
        found = self.hop.association() if self.hop is not None else None
        return asdict(found) if found is not None else None

    def log_keys(self) -> str:
        """Where the hop writes the keys of its VPNs to come. See Charon.log_keys."""
        assert self.hop is not None
        return str(self.hop.log_keys())

    def stop(self) -> None:
        if self.hop is not None:
            self.hop.stop()
        self.runner.stop()
        for modem in self.modems:
            modem.let_go()
            modem.hang_up()


def main(plan: I5osPlan, *, ready: Callable[[], None]) -> None:
    """Run the partition until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with NetworkNamespace(plan.namespace).entered():  # a terminal's PPP channel is of the namespace that makes it
        journal = Journal("i5os")
        partition = LendingPartition(plan)
        if plan.hop is not None:
            from rig.parts.i5os.hop import Hop  # and with it charon's protocol, which lending a modem needs not

            partition.hop = Hop(plan.hop, NetworkNamespace(plan.namespace), plan.folder)
            partition.hop.wait_ready()
        serve_in_thread(
            plan.control_path,
            {
                "refused": lambda: partition.refused,
                "agreed_on": partition.agreed_on,
                "log_keys": partition.log_keys,
                "journal": journal.since,
            },
        )
        ready()
        stop.wait()
        partition.stop()
