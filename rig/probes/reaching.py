"""How far a packet, or a connection, comes."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import select
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address

from rig.config.destinations import HTTPS
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.namespace import NetworkNamespace
from rig.probes import packets
from rig.probes.probe import ProbeError

ANSWER_SECONDS = 15.0
"""For an answer that should come: a TLS handshake takes some seconds at 2,400 bit/s."""


@contextlib.contextmanager
def begun(
    namespace: NetworkNamespace, host: IPv4Address, bound_to: tuple[str, str] | None = None
) -> Iterator[socket.socket]:
    """A connection to TCP 443 whose first packet is sent, and that nobody waits for. ``bound_to``: an interface that it
    is to go by, whatever the routes say, and the source that it is to have."""
    with namespace.entered():
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with attempt:
        attempt.setblocking(False)
        if bound_to is not None:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bound_to[0].encode())
            attempt.bind((bound_to[1], 0))
        with contextlib.suppress(OSError):  # see answered()
            attempt.connect((str(host), HTTPS))
        yield attempt


def answered(attempt: socket.socket) -> str:
    """What has come of a connection until now, in the words of :func:`connect`."""
    if not select.select([], [attempt], [], 0)[1]:
        return "no answer"
    number = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number == errno.ECONNREFUSED:
        return "refused"
    return os.strerror(number) if number else "open"


def connect(namespace: NetworkNamespace, host: IPv4Address, patience: float = ANSWER_SECONDS) -> str:
    """Try to open TCP 443 for so many seconds: "open", "refused", "no answer", or the kernel's own word."""
    with namespace.entered():
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with attempt:
        attempt.settimeout(patience)
        try:
            with waiting():
                attempt.connect((str(host), HTTPS))
        except TimeoutError:
            return "no answer"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            return str(error.strerror)
    return "open"


def send_raw(namespace: NetworkNamespace, packet: bytes) -> None:
    """Send a whole IP packet by the namespace's own routes."""
    with namespace.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


@contextlib.contextmanager
def flow(namespace: NetworkNamespace, server: IPv4Address) -> Iterator[socket.socket]:
    """A TCP connection to a server, open meanwhile. Raises ProbeError where there comes none."""
    with namespace.entered():
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        _bind_free(connection)
        connection.settimeout(ANSWER_SECONDS)
        try:
            with waiting():
                connection.connect((str(server), HTTPS))
        except OSError as error:
            raise ProbeError(f"no connection to {server}:{HTTPS}: {error.strerror or error}") from error
        yield connection


def _bind_free(connection: socket.socket) -> None:
    """To one of packets.FLOW_PORTS, drawn anew each time. Raises OSError when none of several is free."""
    ports = random.sample(packets.FLOW_PORTS, 20)
    for port in ports[:-1]:
        with contextlib.suppress(OSError):
            connection.bind(("", port))
            return
    connection.bind(("", ports[-1]))
