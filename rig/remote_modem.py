"""A near end that has no modem of its own: an i5/OS partition lends one over L2TP (the paper's §2.1.4.2).

The near end opens a tunnel (UDP 1701, not encrypted), asks the partition to dial (RFC 2661's outgoing call, of which
it is the LNS), and runs PPP over the session as if the modem were here.
"""

from __future__ import annotations

import contextlib
import queue
import socket
from typing import TYPE_CHECKING, Literal

from drivers.at import Identity
from drivers.errors import CallError, CarrierLostError, NoAnswerError, NoModemError, RigError
from drivers.interruptions import waiting
from drivers.l2tp import kernel
from drivers.l2tp.control import Identity as L2tpIdentity
from drivers.l2tp.endpoint import Endpoint, Told
from drivers.l2tp.events import (
    CALL_ERRORS,
    CallAccepted,
    CallConnected,
    CallEnded,
    CallResult,
    End,
    Event,
    TunnelEnded,
    TunnelUp,
)
from drivers.l2tp.runner import Runner, peer_at
from drivers.l2tp.tunnel import Tunnel
from drivers.modem import Connection, check_number
from drivers.pppd import Pppd, PppOptions, PppUp
from drivers.secret import Secret
from rig.bench import Bench, RemoteModemTable
from rig.near_end import PPP_OPTIONS, NearEnd
from rig.owner import Owner
from rig.progress import Progress
from rig.secret_files import secret_value

if TYPE_CHECKING:
    from rig.far_end import FarEnd

MTU = 1410
"""Bytes that fit into Ethernet's 1,500 with L2TP, UDP and IP around them."""
_REFUSALS: dict[int, str] = {
    CallResult.NO_FACILITIES: "NO MODEM FREE",
    CallResult.INVALID_DESTINATION: "NUMBER NOT ALLOWED",
}
"""What no modem of our own would say."""


class RemoteNearEnd(NearEnd):
    """One caller who borrows a modem. Its port is the partition."""

    _runner: Runner | None = None
    _tunnel: Tunnel
    _call = 0

    @property
    def _table(self) -> RemoteModemTable:
        assert self.bench.near_end.remote_modem is not None
        return self.bench.near_end.remote_modem

    def open(self) -> None:
        """Open the tunnel. Raises NoModemError when the partition does not answer, or does not want us."""
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._over = ""
        secret = secret_value(self.bench, "near-end.remote-modem.secret", self._table.secret, "").encode()
        endpoint = Endpoint(L2tpIdentity("hmc", secret, self._table.hello), lambda peer: False)
        self._runner = Runner(endpoint, self.namespace, self._told)
        self._sockets = contextlib.ExitStack()
        with self._progress.step(f"L2TP tunnel to {self._table.partition}"):
            with self._runner.using() as now:
                self._tunnel = endpoint.connect(peer_at(self._table.partition), now)
            event = self._next(TunnelUp, TunnelEnded, seconds=self._table.timeout)
            if isinstance(event, TunnelUp):
                self.identity = Identity("i5/OS partition", event.host)
                udp = self._runner.socket_of(self._tunnel)
                tunnel = self._tunnel
                with self.namespace.entered():
                    made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, self._table.partition)
                self._sockets.enter_context(made)
                return
        said = event.end.text or f"result {event.end.result}" if isinstance(event, TunnelEnded) else "no answer"
        raise NoModemError(
            f"partition {self._table.partition}: no tunnel: {said}",
            "is its L2TP service started, and does it allow this address and secret?",
        )

    def _told(self, told: Told) -> None:
        if isinstance(told.event, CallEnded | TunnelEnded) and self._pppd is not None:
            self._over = self._over or described(told.event)
            self._pppd.give_up()
        self._events.put(told.event)

    def _next(self, *kinds: type[Event], seconds: float) -> Event | None:
        """The next event of these kinds; None when none comes in time."""
        with contextlib.suppress(queue.Empty):
            while True:
                with waiting():
                    event = self._events.get(timeout=seconds)
                if isinstance(event, kinds):
                    return event
        return None

    def dial(self, number: str) -> Connection:
        """Have the partition dial. Raises as a modem of our own does, by the call's result (RFC 2661 §4.4.2)."""
        string = check_number(number)
        assert self._runner is not None
        seconds = self.bench.near_end.modem.carrier_wait + 30.0
        with self._progress.step("L2TP outgoing call"):
            with self._runner.using() as now:
                self._call = self._tunnel.place_call(string, now)
            answer = self._next(CallAccepted, CallEnded, TunnelEnded, seconds=self._table.timeout)
            if not isinstance(answer, CallAccepted):
                raise self._refused(number, answer)
            self._session = self._make_session()
        self._progress.begin(f"partition dialling {number}")
        answer = self._next(CallConnected, CallEnded, TunnelEnded, seconds=seconds)
        if not isinstance(answer, CallConnected):
            failure = self._refused(number, answer)
            self._progress.end(failure.result)
            raise failure
        text = f"CONNECT {answer.rate}"
        self._progress.end(text)
        return Connection(text, answer.rate)

    def _make_session(self) -> socket.socket:
        assert self._runner is not None
        tunnel, call = self._tunnel, self._tunnel.calls[self._call]
        udp = self._runner.socket_of(self._tunnel)
        with self.namespace.entered():
            own, peer = (tunnel.own, call.own), (tunnel.channel.peer, call.peer)
            made = kernel.session_socket(udp, own, peer, self._table.partition)
        return self._sockets.enter_context(made)

    def _refused(self, number: str, answer: Event | None) -> CallError:
        if answer is None:
            with self._runner.using() as now:  # type: ignore[union-attr]
                self._tunnel.end_call(self._call, CallResult.NOT_IN_TIME, now)
            return NoAnswerError(f"dialling {number}: the partition did not say how it went", result="NO ANSWER")
        assert isinstance(answer, CallEnded | TunnelEnded)
        end = answer.end if isinstance(answer, CallEnded) else End(0, text=answer.end.text)
        kind = CALL_ERRORS.get(end.result, CallError)
        words = kind.outcome if kind is not CallError else _REFUSALS.get(end.result, "")
        said = f"{words}{': ' if words and end.text else ''}{end.text}" or f"result {end.result}"
        return kind(f"dialling {number}: {said}", result=words or f"RESULT {end.result}")

    def start_ppp(self) -> PppUp:
        """PPP over the session; see Pppd.wait_up for what it raises."""
        self._pppd = Pppd(
            self._session.fileno(),
            PppOptions(
                (*PPP_OPTIONS, "mtu", f"{MTU}", "mru", f"{MTU}", *self.bench.near_end.ppp.options),
                client=self.secret,
                session=(
                    "plugin", "pppol2tp.so", "pppol2tp", "0", "pppol2tp_lns_mode",
                    "pppol2tp_tunnel_id", f"{self._tunnel.own}", "pppol2tp_session_id", f"{self._call}",
                ),
            ),
            self.namespace,
            self._folder,
            notice=self._ppp_notice,
            log=self._progress.detail,
        )  # fmt: skip
        return super().start_ppp()

    def failure(self) -> RigError:
        """Why the session ended: what the partition said of it explains more than pppd can."""
        return CarrierLostError(self._over) if self._over else self.session.failure()

    def hang_up(self) -> None:
        """End session, call and tunnel."""
        self.end_session()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            with runner.using() as now:
                self._tunnel.end_call(self._call, CallResult.ADMINISTRATIVE, now)
            runner.stop()
            self._sockets.close()

    stop = hang_up


def described(event: CallEnded | TunnelEnded) -> str:
    """Why a call is over, for a person."""
    if isinstance(event, TunnelEnded):
        return f"the tunnel to the partition ended: {event.end.text or f'result {event.end.result}'}"
    words = "the partition's modem lost its carrier" if event.end.result == CallResult.CARRIER_LOST else ""
    return words or f"the partition ended the call: {event.end.text or f'result {event.end.result}'}"


def near_end_of(
    owner: Owner,
    bench: Bench,
    far: FarEnd | None,
    port: str,
    secret: Secret,
    progress: Progress,
    role: str = "hmc",
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """The near end that a bench has: with a modem of its own, or with a borrowed one, joined to who lends it."""
    kind = RemoteNearEnd if bench.near_end.remote_modem is not None else NearEnd
    near = kind.owned_by(owner, bench, port, secret, progress, role, auth)
    if far is not None:
        far.attach(near)
    return near
