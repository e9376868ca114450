"""A tunnel to an i5/OS partition that lends its modems over L2TP (the paper's §2.1.4.2): ours is the LNS's end.

The near end opens the tunnel (UDP 1701, not encrypted). To call out it asks the partition to dial (RFC 2661's outgoing
call); a call that reaches a modem of the partition's is offered to it (an incoming call). It is the LNS of both, and of
as many at once as there are modems; lns_call.py is one of them.
"""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Iterator
from typing import Protocol

from rig.config.bench import RemoteModemTable
from rig.drivers.base.errors import NoModemError, RigError
from rig.drivers.base.interruptions import waiting
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import CallOffered, Event, TunnelEnded, TunnelUp
from rig.drivers.l2tp.results import CallResult
from rig.drivers.l2tp.runner import Runner, peer_at
from rig.drivers.l2tp.tunnel import Tunnel
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.trace import Trace


class TakesEvents(Protocol):
    """One call's end of the tunnel's events."""

    def take(self, event: Event) -> None:
        """From the tunnel's thread."""


class Lns:
    """One tunnel, and the calls in it.

    ``host``: what the other end calls itself. Raises ``error`` when it does not answer, or does not want us, and
    CannotRunError where the kernel has no L2TP.
    """

    def __init__(
        self,
        table: RemoteModemTable,
        secret: bytes,
        namespace: NetworkNamespace,
        trace: Trace,
        what: str = "partition",
        error: type[RigError] = NoModemError,
    ) -> None:
        self._what = what
        self._error = error
        self.host = ""
        self.table = table
        self.namespace = namespace
        self._calls: dict[int, TakesEvents] = {}
        self._events: queue.SimpleQueue[TunnelUp | TunnelEnded | CallOffered | None] = queue.SimpleQueue()
        self._sockets = contextlib.ExitStack()
        self._takes_calls = False
        endpoint = Endpoint(Identity("hmc", secret, table.hello), lambda peer: False)
        self._runner = Runner(endpoint, namespace, self._told, trace.l2tp_message)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        with self._runner.using() as now:
            self.tunnel = self._runner.endpoint.connect(peer_at(self.table.partition), now)
        event = self._next(self.table.timeout)
        if not isinstance(event, TunnelUp):
            said = event.end.text or f"result {event.end.result}" if isinstance(event, TunnelEnded) else "no answer"
            raise self._error(
                f"{self._what} {self.table.partition}: no tunnel: {said}",
                "is its L2TP service started, and does it allow this address and secret?",
            )
        self.host = event.host
        udp = self._runner.socket_of(self.tunnel)
        with self.namespace.entered():
            made = kernel.tunnel_socket(udp, self.tunnel.own, self.tunnel.channel.peer, self.table.partition)
        self._sockets.enter_context(made)

    def _told(self, told: Told) -> None:
        """In the runner's thread."""
        event = told.event
        if isinstance(event, CallOffered):
            if self._takes_calls:
                self._events.put(event)
                return
            with self._runner.using() as now:
                told.tunnel.end_call(event.call, CallResult.NO_FACILITIES, now, text="no call is waited for here")
        elif isinstance(event, TunnelUp | TunnelEnded):
            self._events.put(event)
            for call in list(self._calls.values()) if isinstance(event, TunnelEnded) else ():
                call.take(event)
        elif (one := self._calls.get(event.call)) is not None:
            one.take(event)

    def _next(self, seconds: float) -> TunnelUp | TunnelEnded | CallOffered | None:
        """None when nothing comes in time, or :meth:`wake` is called."""
        with contextlib.suppress(queue.Empty), waiting():
            return self._events.get(timeout=seconds)
        return None

    @contextlib.contextmanager
    def using(self) -> Iterator[tuple[Tunnel, float]]:
        """Have the tunnel to oneself; and the time that it goes by."""
        with self._runner.using() as now:
            yield self.tunnel, now

    def socket(self) -> socket.socket:
        """The UDP socket that the kernel's sessions go by."""
        return self._runner.socket_of(self.tunnel)

    def register(self, number: int, call: TakesEvents) -> None:
        """Have a call told of its events from now on; within :meth:`using`, so that none is missed."""
        self._calls[number] = call

    def forget(self, number: int) -> None:
        """It is told no more."""
        self._calls.pop(number, None)

    def wait_for_call(self, seconds: float) -> CallOffered | None:
        """Wait until a modem of the partition's rings. None when none does in time, or :meth:`wake` is called."""
        self._takes_calls = True
        try:
            event = self._next(seconds)
        finally:
            self._takes_calls = False
        if isinstance(event, TunnelEnded):
            raise self._error(f"the tunnel to the {self._what} ended: {event.end.text or f'result {event.end.result}'}")
        assert event is None or isinstance(event, CallOffered)
        return event

    def wake(self) -> None:
        """From another thread: have whoever waits for a call wait no longer."""
        self._events.put(None)

    def close(self) -> None:
        """End the tunnel, and with it the calls that are left."""
        self._calls.clear()
        self._runner.stop()
        self._sockets.close()
