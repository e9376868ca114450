"""L2TP's control plane in one process: tunnels a minute over real UDP, beside xl2tpd; and memory over many calls."""

from __future__ import annotations

import gc
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, in_rate, spread
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint
from rig.drivers.l2tp.events import CallAccepted, CallAsked, CallEnded, TunnelEnded, TunnelUp
from rig.drivers.l2tp.results import CallResult, StopResult
from rig.drivers.l2tp.tunnel import Tunnel
from rig.run.owner import Owner
from tests.lab.xl2tpd import SECRET, Xl2tpd
from tests.process_memory import resident

TUNNELS = 500
RUNS = 5
TARGET = 10_000
CALLS, SETTLED = 2000, 400
GROWTH = 1.0
"""MB that the process may have grown by from call SETTLED to the last."""
SECRET_BYTES = SECRET.replace(" ", "").encode()


class Loop:
    """One endpoint on a UDP socket, run by whoever wants something of it."""

    def __init__(self, host: str) -> None:
        self.endpoint = Endpoint(Identity(host, SECRET_BYTES))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    def turn(self) -> None:
        """Take what is there, and send what is due."""
        now = time.monotonic()
        try:
            while True:
                datagram, source = self.socket.recvfrom(65536)
                self.endpoint.receive(datagram, source, now)
        except BlockingIOError:
            pass
        for datagram, tunnel in self.endpoint.take_outgoing():
            peer = self.endpoint.peer_of(tunnel)
            assert isinstance(peer, tuple)
            self.socket.sendto(datagram, peer)
        self.endpoint.tick(now)


def set_up(client: Loop, peer: tuple[str, int], others: Callable[[], None], count: int) -> float:
    """Tunnels a minute, each set up and ended in order, a few at a time."""
    began, done, under_way = time.monotonic(), 0, 0
    asked = 0
    while done < count:
        while under_way < 8 and asked < count:
            client.endpoint.connect(peer, time.monotonic())
            under_way, asked = under_way + 1, asked + 1
        client.turn()
        others()
        for told in client.endpoint.take_events():
            if isinstance(told.event, TunnelUp):
                told.tunnel.close(StopResult.CLEARED, time.monotonic())
            elif isinstance(told.event, TunnelEnded):
                done, under_way = done + 1, under_way - 1
        if time.monotonic() - began > 120:
            raise TimeoutError(f"{done} of {count} tunnels in 120 s")
    return count / (time.monotonic() - began) * 60


def ours() -> float:
    """Both ends are ours, and in this one process."""
    client, server = Loop("client"), Loop("server")
    with closing(client.socket), closing(server.socket):

        def serve() -> None:
            server.turn()
            server.endpoint.take_events()

        return set_up(client, server.socket.getsockname(), serve, TUNNELS)


def xl2tpds(owner: Owner) -> list[float]:
    """xl2tpd as the other end, in a process of its own."""
    namespace = owner.namespace("xl2tpd")
    section = "[lns default]\nassign ip = no\nhostname = theirs\nchallenge = yes"
    daemon = owner.own(Xl2tpd(namespace, Path(tempfile.mkdtemp(dir=owner.folder)), section, ()))
    daemon.wait_listening()
    with namespace.entered():
        client = Loop("client")
    with closing(client.socket):
        return [set_up(client, ("127.0.0.1", 1701), lambda: None, TUNNELS) for _ in range(RUNS)]


def _established() -> tuple[Loop, Loop, Tunnel]:
    client, server = Loop("client"), Loop("server")
    tunnel = client.endpoint.connect(server.socket.getsockname(), time.monotonic())
    while not any(isinstance(told.event, TunnelUp) for told in client.endpoint.take_events()):
        client.turn()
        server.turn()
        server.endpoint.take_events()
    return client, server, tunnel


def memory_of_calls() -> tuple[float, float]:
    """MB of this process after SETTLED calls in one tunnel, and after all of them."""
    client, server, tunnel = _established()
    settled = 0.0
    with closing(client.socket), closing(server.socket):
        for number in range(CALLS):
            call, over = tunnel.place_call("18005550100", time.monotonic()), False
            while not over:
                client.turn()
                server.turn()
                for told in server.endpoint.take_events():
                    if isinstance(told.event, CallAsked):
                        told.tunnel.accept_call(told.event.call, time.monotonic())
                        told.tunnel.call_connected(told.event.call, 33600, time.monotonic())
                for told in client.endpoint.take_events():
                    if isinstance(told.event, CallAccepted):
                        tunnel.end_call(call, CallResult.ADMINISTRATIVE, time.monotonic())
                    over = over or isinstance(told.event, CallEnded)
            if number == SETTLED:
                gc.collect()
                settled = resident()
    gc.collect()
    return settled, resident()


def measure() -> list[Figure]:
    """Ours first, each five times; then xl2tpd's."""
    rates = [ours() for _ in range(RUNS)]
    with Owner() as owner:
        theirs = xl2tpds(owner)
    settled, last = memory_of_calls()
    return [
        Figure(
            "tunnels set up and ended a minute, both ends in one process",
            spread(rates, ""),
            "",
            "at least 10,000",
            min(rates) >= TARGET,
            in_rate("xl2tpd at the other end", rates, theirs, ""),
        ),
        Figure(
            f"memory over {CALLS} calls in one tunnel",
            f"{settled:.1f} MB after {SETTLED}, {last:.1f} MB after all",
            "",
            "flat",
            last - settled < GROWTH,
        ),
    ]
