"""The hop of §2.1.4.1: asked by a console for it, the partition makes a VPN to the gateway, and an L2TP tunnel through
that, and joins the console's session to one in there. PPP passes through it, and it has no part in that."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import socket
import threading
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from rig.drivers.base.errors import NetworkError
from rig.drivers.ipsec.association import Association
from rig.drivers.ipsec.charon import Charon, Policy
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import CallAccepted, CallEnded, Event, TunnelEnded, TunnelUp
from rig.drivers.l2tp.results import CallResult, StopResult
from rig.drivers.l2tp.runner import Runner, peer_at
from rig.drivers.l2tp.tunnel import NO_LINE, Tunnel
from rig.drivers.modem.number import Number
from rig.drivers.net.namespace import NetworkNamespace

NAME = "hop"
SECONDS = 20.0
"""For IKE, and for each answer of the gateway's LNS."""

_log = logging.getLogger("i5os.hop")


@dataclass(frozen=True)
class HopPlan:
    """``server``: the VPN gateway, ``own``: the partition's address towards it; ``secret`` of IKE."""

    server: IPv4Address
    own: IPv4Address
    policy: Policy
    secret: str = field(repr=False)

    @property
    def number(self) -> Number:
        """What a console calls for it: the gateway's address, with stars for its dots."""
        return Number(str(self.server).replace(".", "*"))


class Hop:
    """The partition's side towards the gateway. The VPN is made for the first call, and goes with the last."""

    def __init__(self, plan: HopPlan, namespace: NetworkNamespace, folder: Path) -> None:
        self.plan = plan
        self.namespace = namespace
        self._charon = Charon(namespace, folder / "charon-i5os", _log.info)
        self._changing = threading.Lock()
        self._calls: dict[int, HopCall] = {}
        self._tunnel: Tunnel | None = None
        self._tunnels: queue.SimpleQueue[TunnelUp | TunnelEnded] = queue.SimpleQueue()
        self._kernels = contextlib.ExitStack()

    def wait_ready(self) -> None:
        """Raises what keeps its charon from starting."""
        self._charon.wait_ready()
        plan = self.plan
        self._charon.load(NAME, plan.own, plan.server, plan.policy, plan.secret)
        endpoint = Endpoint(Identity("i5os"), lambda peer: False)
        self.runner = Runner(endpoint, self.namespace, self._told, address=str(plan.own))

    def log_keys(self) -> Path:
        """See Charon.log_keys."""
        return self._charon.log_keys()

    def association(self) -> Association | None:
        """What it has agreed on with the gateway, while the VPN is up."""
        return self._charon.association(NAME)

    def _told(self, told: Told) -> None:
        event = told.event
        if isinstance(event, TunnelUp | TunnelEnded):
            self._tunnels.put(event)
            for call in list(self._calls.values()) if isinstance(event, TunnelEnded) else ():
                call.take(event)
        elif (one := self._calls.get(event.call)) is not None:
            one.take(event)

    def new_call(self, wanted: str) -> HopCall:
        """A console's, not entered yet. ``wanted``: whom it is for, as the gateway knows it; "": nobody in
        particular."""
        return HopCall(self, wanted)

    def enter(self, call: HopCall) -> tuple[Tunnel, int]:
        """The tunnel, brought up where it is not, and a call that is offered in it. Raises IkeError, NetworkError."""
        with self._changing:
            if not self._calls:
                self._open()
            tunnel = self._tunnel
            assert tunnel is not None
            with self.runner.using() as now:
                number = tunnel.offer_call("", call.wanted, now)
                self._calls[number] = call
            return tunnel, number

    def _open(self) -> None:
        self._charon.initiate(NAME, SECONDS)
        with self.runner.using() as now:
            self._tunnel = tunnel = self.runner.endpoint.connect(peer_at(self.plan.server), now)
        try:
            event = self._tunnels.get(timeout=SECONDS)
        except queue.Empty:
            event = None
        if not isinstance(event, TunnelUp):
            self._shut()
            raise NetworkError(f"VPN gateway {self.plan.server}: no tunnel: {event.end.text if event else 'no answer'}")
        udp = self.runner.socket_of(tunnel)
        with self.namespace.entered():
            made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, self.plan.server)
        self._kernels.enter_context(made)

    def leave(self, number: int) -> None:
        """One call is over, where it is not yet; with the last the VPN goes."""
        with self._changing:
            if self._calls.pop(number, None) is None:
                return
            if self._tunnel is not None:
                with self.runner.using() as now:
                    self._tunnel.end_call(number, CallResult.ADMINISTRATIVE, now)
            if not self._calls:
                self._shut()

    def _shut(self) -> None:
        tunnel, self._tunnel = self._tunnel, None
        self._kernels.close()
        if tunnel is not None:
            with self.runner.using() as now:
                tunnel.close(StopResult.SHUTTING_DOWN, now)
            with contextlib.suppress(queue.Empty):
                while not isinstance(self._tunnels.get(timeout=1.0), TunnelEnded):
                    pass
        self._charon.terminate(NAME)

    def stop(self) -> None:
        for call in list(self._calls.values()):
            call.let_go()
        self.runner.stop()
        self._charon.stop()


class HopCall:
    """One console's call through the hop, as :class:`lac_modem.LacModem` is one by a modem."""

    def __init__(self, hop: Hop, wanted: str) -> None:
        self.name = f"hop to {hop.plan.server}" + (f" for {wanted}" if wanted else "")
        self.wanted = wanted
        self._hop = hop
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._number = 0
        self._session: socket.socket | None = None
        self._bridge = -1
        self._wake, self._woken = socket.socketpair()

    def take(self, event: Event) -> None:
        """From the tunnel's thread."""
        self._events.put(event)
        if isinstance(event, CallEnded | TunnelEnded):
            self._wake.send(b"\0")

    def connect(self) -> int:
        """The VPN, and a session of its own in it; the rate in bit/s. Raises IkeError, NetworkError."""
        hop = self._hop
        tunnel, self._number = hop.enter(self)
        try:
            event: Event | None = self._events.get(timeout=SECONDS)
        except queue.Empty:
            event = None
        if not isinstance(event, CallAccepted):
            said = event.end.text or f"result {event.end.result}" if isinstance(event, CallEnded | TunnelEnded) else ""
            raise NetworkError(f"VPN gateway {hop.plan.server}: no session: {said or 'no answer'}")
        udp = hop.runner.socket_of(tunnel)
        with hop.runner.using():
            call = tunnel.calls[self._number]
        with hop.namespace.entered():
            own, peer = (tunnel.own, call.own), (tunnel.channel.peer, call.peer)
            self._session = kernel.session_socket(udp, own, peer, hop.plan.server)
        self._tunnel = tunnel
        return NO_LINE

    def join(self, session: socket.socket) -> None:
        """Join the console's session to it; and only then is the gateway told that it is up."""
        assert self._session is not None
        self._bridge = kernel.bridged(kernel.channel_of(self._session.fileno()), kernel.channel_of(session.fileno()))
        with self._hop.runner.using() as now:
            if self._number in self._tunnel.calls:
                self._tunnel.call_connected(self._number, NO_LINE, now)

    def set_link(self, send: int, receive: int) -> None:
        """Nothing is escaped where there is no line."""

    def wait_for_the_end(self) -> bool:
        """Until the gateway has ended it, which is True, or :meth:`let_go` is called."""
        select.select([self._woken], [], [])
        return self._woken.recv(1) == b"\0"

    def let_go(self) -> None:
        """From another thread: the console wants it no more."""
        self._wake.send(b"\n")

    def hang_up(self) -> None:
        """End it; with the last call goes the VPN."""
        if self._bridge >= 0:
            os.close(self._bridge)
            self._bridge = -1
        if self._session is not None:
            self._session.close()
            self._session = None
        if self._number:
            self._hop.leave(self._number)
