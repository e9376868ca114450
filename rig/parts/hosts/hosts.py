"""The service hosts: every address of §5.1 with TLS on port 443, and hosts outside the fence that would answer.

The service centre is at every address; any other POST is answered with what was received. A capture in the same
namespace records what truly arrived.
"""

from __future__ import annotations

import collections
import contextlib
import http.server
import json
import logging
import select
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.callhome.wire import TRANSACTIONS
from rig.config.destinations import HTTPS
from rig.drivers.base.dissection import dpkt
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.packet_socket import IPV4, PacketSocket
from rig.parts.hosts.tls_server import SPEAKERS, Speaker
from rig.run.control import serve_in_thread
from rig.run.journal import Journal

if TYPE_CHECKING:
    from rig.parts.service_centre.centre import Centre


SINK = "/sink"
"""What is sent here is counted by nobody: for throughput."""
LARGEST_POST = 1 << 20
CAPTURED = 20000
"""Packets that the capture remembers."""

_log = logging.getLogger("hosts")


@dataclass(frozen=True)
class HostsPlan:
    """``addresses``: all that answer, on ``interface``; ``ca``: where the certificate is put that signs them all;
    ``tls``: the policy that they keep to; ``catalogue``: the file that the service centre holds what arrives to;
    ``broken``: in one of the ways of rig.parts.service_centre.faults; ``forbidden``: the file of what is looked for in
    whatever is received."""

    namespace: str
    folder: Path
    addresses: tuple[IPv4Address, ...]
    tls: str
    interface: str
    catalogue: Path
    broken: str
    forbidden: Path | None = None

    @property
    def control_path(self) -> Path:
        return self.folder / "hosts.sock"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"


@dataclass(frozen=True)
class Arrival:
    """An IPv4 packet that reached the hosts. Ports are 0 where the protocol has none; ``at``: time.monotonic();
    ``opens``: whether it is to open a TCP connection."""

    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int
    at: float
    opens: bool


class ArrivalLog:
    """Records what arrives on an interface, the newest CAPTURED packets."""

    def __init__(self, namespace: NetworkNamespace, interface: str) -> None:
        self._socket = PacketSocket(namespace, interface)
        self._arrivals: collections.deque[Arrival] = collections.deque(maxlen=CAPTURED)
        self._taking = threading.Lock()
        threading.Thread(target=self._record, daemon=True, name="capture").start()

    def _record(self) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while True:
            poller.poll()
            self._take()

    def _take(self) -> None:
        """All that has arrived until now."""
        with self._taking:
            for packet in self._socket.take():
                if not packet.outgoing and packet.kind == IPV4:
                    with contextlib.suppress(dpkt.dpkt.Error, ValueError, IndexError):  # whatever a caller may send
                        self._remember(dpkt.ip.IP(packet.data))

    def _remember(self, packet: Any) -> None:
        self._arrivals.append(
            Arrival(
                socket.inet_ntoa(packet.src),
                socket.inet_ntoa(packet.dst),
                packet.p,
                getattr(packet.data, "sport", 0),
                getattr(packet.data, "dport", 0),
                time.monotonic(),
                getattr(packet.data, "flags", 0) & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK) == dpkt.tcp.TH_SYN,
            )
        )

    def arrivals(self, since: float = 0.0, **wanted: Any) -> list[dict[str, Any]]:
        """The packets that have arrived since a moment of time.monotonic() and whose fields have the values wanted;
        among them what the thread that records has not seen yet, as on a busy machine."""
        self._take()
        return [
            vars(arrival)
            for arrival in list(self._arrivals)
            if arrival.at >= since and all(getattr(arrival, name) == value for name, value in wanted.items())
        ]


class AskedCentre:
    """The service centre, made when it is first asked: who calls home and sends nothing has no use for it."""

    def __init__(self, plan: HostsPlan) -> None:
        self._plan = plan
        self._making = threading.Lock()
        self._made: Centre | None = None

    def made(self) -> Centre:
        from rig.callhome import catalogue, forbidden
        from rig.parts.service_centre.centre import Centre
        from rig.parts.service_centre.faults import BY_NAME
        from rig.parts.service_centre.store import Store

        with self._making:
            if self._made is None:
                plan = self._plan
                told = logging.getLogger("centre").warning
                looked_for = forbidden.load(plan.forbidden) if plan.forbidden else None
                store = Store(plan.folder / "centre", catalogue.load(plan.catalogue), told, looked_for)
                self._made = Centre(store, plan.folder / "fixes", BY_NAME[plan.broken])
            return self._made

    def transactions(self) -> list[dict[str, Any]]:
        """What has arrived; see Store."""
        return self._made.store.transactions() if self._made is not None else []


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def _ask_the_centre(self) -> None:
        assert isinstance(self.server, TlsServer)
        from rig.parts.service_centre import over_http

        if not over_http.serve(self, self.server.centre.made()):
            self.send_error(404)

    def do_PUT(self) -> None:
        self._ask_the_centre()

    def do_GET(self) -> None:
        self._ask_the_centre()

    def do_POST(self) -> None:
        if self.path.startswith(TRANSACTIONS):
            self._ask_the_centre()
            return
        length = int(self.headers.get("Content-Length") or 0)
        if self.path == SINK:
            self._swallow(length)
            return
        if not 0 <= length <= LARGEST_POST:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        answer = json.dumps(
            {
                "server": self.connection.getsockname()[0],
                "client": self.client_address[0],
                "received": body.decode("latin-1"),
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _swallow(self, length: int) -> None:
        """Take it all, however much it is, and say no more than that it came."""
        left = length
        while left > 0 and (part := self.rfile.read(min(left, 1 << 16))):
            left -= len(part)
        self.send_response(204 if left <= 0 else 400)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        _log.info("%s %s", self.client_address[0], format % args)


class TlsServer(socketserver.ThreadingTCPServer):
    """HTTPS on every address of the namespace; each address has a certificate of its own."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, speaker: Speaker, centre: AskedCentre) -> None:
        super().__init__(("0.0.0.0", HTTPS), _Handler)  # noqa: S104 - in a namespace of the run's own
        self.centre = centre
        self._speaker = speaker

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: the handshake, then the request."""
        request.settimeout(120)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._speaker.secured(request) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.info("%s: connection ended: %r", client_address, sys.exc_info()[1])


def main(plan: HostsPlan, *, ready: Callable[[], None]) -> None:
    """Run the hosts until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    namespace = NetworkNamespace(plan.namespace)
    namespace.add_address("lo", *(IPv4Interface(f"{address}/32") for address in plan.addresses))
    speaker = SPEAKERS[plan.tls](plan.addresses, plan.ca)
    capture = ArrivalLog(namespace, plan.interface)
    journal = Journal("centre")
    centre = AskedCentre(plan)
    with namespace.entered():
        server = TlsServer(speaker, centre)
    threading.Thread(target=server.serve_forever, daemon=True, name="https").start()
    serve_in_thread(
        plan.control_path,
        {"arrivals": capture.arrivals, "transactions": centre.transactions, "journal": journal.since},
    )
    ready()
    stop.wait()
