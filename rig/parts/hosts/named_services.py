"""Services that say whose they are: on the console's ports of §5.3, and in each partition.

Whoever connects by TCP, or sends a datagram, is answered with one line: so a caller who reaches something knows what.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rig.drivers.net.namespace import NetworkNamespace

BACKLOG = 64

_log = logging.getLogger("services")


@dataclass(frozen=True)
class Services:
    """Whose they are, where, and on which ports, TCP and UDP. ``address``: the one that they have, "" for any."""

    name: str
    namespace: str
    ports: tuple[int, ...]
    address: str = ""


def greeting(name: str) -> bytes:
    """What the services of ``name`` say."""
    return f"rig: this is {name}\n".encode()


def _opened(services: Services) -> list[socket.socket]:
    found = []
    with NetworkNamespace(services.namespace).entered():
        for port in services.ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                made = socket.socket(socket.AF_INET, kind)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                made.bind((services.address, port))
                made.setblocking(False)
                if kind is socket.SOCK_STREAM:
                    made.listen(BACKLOG)
                found.append(made)
    return found


def _answer(service: socket.socket, words: bytes) -> None:
    with contextlib.suppress(OSError):  # who asked may be gone again
        if service.type is socket.SOCK_STREAM:
            connection, whom = service.accept()
            with connection:
                connection.sendall(words)
        else:
            _, whom = service.recvfrom(2048)
            service.sendto(words, whom)
        _log.info("%s asked on port %d", whom, service.getsockname()[1])


def main(plan: Iterable[Services], *, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    selector = selectors.DefaultSelector()
    for services in plan:
        for service in _opened(services):
            selector.register(service, selectors.EVENT_READ, greeting(services.name))

    def serve() -> None:
        while True:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                _answer(key.fileobj, key.data)

    threading.Thread(target=serve, daemon=True, name="services").start()
    ready()
    stop.wait()
