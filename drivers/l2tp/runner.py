"""Runs an endpoint on real sockets, in a thread: one UDP socket a tunnel, as the kernel wants it."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from rig.drivers.base.errors import RigError
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.header import Error, is_control
from rig.drivers.l2tp.kernel import PORT
from rig.drivers.l2tp.results import StopResult
from rig.drivers.l2tp.tunnel import Tunnel
from rig.drivers.net.namespace import NetworkNamespace

LARGEST = 65536
GOODBYE_SECONDS = 1.0
"""How long the peer may take to acknowledge that we go."""

Peer = tuple[str, int]

_log = logging.getLogger("l2tp")


class Runner:
    """``told`` is called, in the thread, for each event; ``passed`` for each control message, with whether it was sent.
    Whoever else uses the endpoint does so within :meth:`using`. ``address``: the one that is ours, on a machine with
    several: the answer has to come from where the question went."""

    def __init__(
        self,
        endpoint: Endpoint,
        namespace: NetworkNamespace,
        told: Callable[[Told], None],
        passed: Callable[[bool, bytes], None] = lambda sent, datagram: None,
        address: str = "",
    ) -> None:
        self._address = address
        self.endpoint = endpoint
        self._namespace = namespace
        self._told = told
        self._passed = passed
        self._lock = threading.RLock()
        self._sockets: dict[int, socket.socket] = {}
        self._listener: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="l2tp")
        self._thread.start()

    def listen(self) -> None:
        """Take requests for tunnels from whoever may ask."""
        with self._lock:
            self._listener = self._bound()
            self._selector.register(self._listener, selectors.EVENT_READ)
        self._nudge()

    @contextlib.contextmanager
    def using(self) -> Iterator[float]:
        """Have the endpoint to oneself; the time that it goes by. What is to be sent then is sent at its end."""
        with self._lock:
            yield time.monotonic()
            self._send()
        self._nudge()

    def socket_of(self, tunnel: Tunnel) -> socket.socket:
        """A tunnel's UDP socket, connected to its peer. The kernel takes no second tunnel on the same one."""
        with self._lock:
            if tunnel.own not in self._sockets:
                peer = self.peer_of(tunnel)
                made = self._bound()
                made.connect(peer)
                self._sockets[tunnel.own] = made
                self._selector.register(made, selectors.EVENT_READ, peer)
            return self._sockets[tunnel.own]

    def peer_of(self, tunnel: Tunnel) -> Peer:
        """Address and port of a tunnel's other end."""
        peer = self.endpoint.peer_of(tunnel)
        assert isinstance(peer, tuple)
        return peer

    def _close_unused(self) -> None:
        for own in [own for own in self._sockets if own not in self.endpoint.tunnels]:
            unused = self._sockets.pop(own)
            self._selector.unregister(unused)
            unused.close()

    def _bound(self) -> socket.socket:
        with self._namespace.entered():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((self._address, PORT))
        return made

    def _nudge(self) -> None:
        os.write(self._woken, b"\n")

    def _run(self) -> None:
        while not self._stopping:
            with self._lock:
                due = self.endpoint.deadline
            left = None if due is None else max(0.0, due - time.monotonic())
            ready = self._selector.select(left)
            with self._lock:
                now = time.monotonic()
                for key, _ in ready:
                    self._read(key, now)
                self._send()
                events = self.endpoint.take_events()
            for told in events:
                self._tell(told)
            with self._lock:
                self.endpoint.tick(time.monotonic())
                self._send()
                self._close_unused()

    def _tell(self, told: Told) -> None:
        """What goes wrong with one tunnel must not end the others'."""
        try:
            self._told(told)
        except (RigError, OSError) as error:
            _log.warning("%s: %s", told.event, error)
            with self._lock:
                told.tunnel.close(StopResult.GENERAL_ERROR, time.monotonic(), Error.NO_RESOURCES, str(error))

    def _read(self, key: selectors.SelectorKey, now: float) -> None:
        if key.fd == self._wake:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, LARGEST)
            return
        assert isinstance(key.fileobj, socket.socket)
        with contextlib.suppress(OSError):  # none left; or an ICMP error of a peer that is not there, which time tells
            while True:
                datagram, source = key.fileobj.recvfrom(LARGEST)
                if is_control(datagram):
                    self._passed(False, datagram)
                self.endpoint.receive(datagram, key.data or source, now)

    def _send(self) -> None:
        for datagram, tunnel in self.endpoint.take_outgoing():
            self._passed(True, datagram)
            with contextlib.suppress(OSError):  # lost, like any other datagram
                self.socket_of(tunnel).send(datagram)

    def stop(self) -> None:
        """End every tunnel in order, and the thread."""
        with self.using() as now:
            for tunnel in self.endpoint.tunnels.values():
                tunnel.close(StopResult.SHUTTING_DOWN, now)
        end = time.monotonic() + GOODBYE_SECONDS
        while self.endpoint.tunnels and time.monotonic() < end:
            threading.Event().wait(0.01)  # the thread is at it; what it waits for is the peer
        self._stopping = True
        self._nudge()
        self._thread.join(GOODBYE_SECONDS)
        for each in (*self._sockets.values(), *([self._listener] if self._listener else [])):
            each.close()
        self._selector.close()
        os.close(self._wake)
        os.close(self._woken)


def peer_at(address: IPv4Address) -> Peer:
    """A peer by its address."""
    return str(address), PORT
