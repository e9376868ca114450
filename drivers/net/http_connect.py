"""A TCP connection through an HTTP proxy: CONNECT (RFC 7231 §4.3.6; RFC 2616 of the paper's day reserved its name), and
basic authentication (RFC 2617 §2).

h11 reads what the proxy says. No more is taken from the socket than the head of its answer, so that whatever follows is
the tunnel's, and the socket is as good for TLS as one that leads there directly.
"""

from __future__ import annotations

import base64
import socket
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from rig.drivers.base.errors import NetworkError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.secret import Secret

if TYPE_CHECKING:
    from h11 import Response

LARGEST_HEAD = 65536
"""Bytes of an answer's head; squid's own limit for one is as large."""
PROXY_AUTHENTICATION_REQUIRED = 407
SHOWN = 60


class ProxyError(NetworkError):
    """The proxy does not let us through, or is none. ``status`` of its answer, 0 where there was none that could be
    read; ``schemes``: by which it wants to know who asks."""

    outcome = "PROXY LETS NOTHING THROUGH"

    def __init__(self, message: str, advice: str = "", status: int = 0, schemes: tuple[str, ...] = ()) -> None:
        super().__init__(message, advice)
        self.status = status
        self.schemes = schemes


@dataclass(frozen=True)
class Answer:
    """What a proxy said to a CONNECT. ``schemes``: of its Proxy-Authenticate headers, in lower case."""

    status: int
    reason: str
    schemes: tuple[str, ...]


def request(host: IPv4Address, port: int, credentials: Secret | None = None) -> bytes:
    """The whole request."""
    import h11  # here, and in ask(): a way home without a proxy has no use for it

    connection = h11.Connection(h11.CLIENT)
    target = f"{host}:{port}"
    headers = [("Host", target), *([("Proxy-Authorization", basic(credentials))] if credentials else [])]
    asked = connection.send(h11.Request(method="CONNECT", target=target, headers=headers))
    assert asked is not None
    return asked + (connection.send(h11.EndOfMessage()) or b"")


def basic(credentials: Secret) -> str:
    """Credentials as RFC 2617 §2 has them."""
    return "Basic " + base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()


def ask(connection: socket.socket, host: IPv4Address, port: int, credentials: Secret | None, seconds: float) -> Answer:
    """Ask the proxy at the other end of a connection for a way to an address and port. Raises ProxyError where what it
    says is no answer, or does not come within so many seconds."""
    import h11

    end = time.monotonic() + seconds
    try:
        with waiting():
            connection.settimeout(seconds)
            connection.sendall(request(host, port, credentials))
        reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        reader.send(h11.Request(method="CONNECT", target=f"{host}:{port}", headers=[("Host", str(host))]))
        reader.send(h11.EndOfMessage())
        while True:
            reader.receive_data(_head(connection, end))
            event = reader.next_event()
            if isinstance(event, h11.Response):
                return _answer(event)
            if not isinstance(event, h11.InformationalResponse):  # 1xx come before the answer itself
                raise ProxyError(f"the proxy's answer is none: {type(event).__name__}")
    except TimeoutError:
        raise ProxyError(f"the proxy has said nothing for {seconds:g} s", "is a proxy there at all?") from None
    except h11.RemoteProtocolError as error:
        raise ProxyError(f"the proxy's answer cannot be read: {error}") from error
    except OSError as error:
        raise ProxyError(f"the connection to the proxy ended: {error.strerror}") from error


def _head(connection: socket.socket, end: float) -> bytes:
    """All up to the empty line that ends a head, and not a byte more. Raises ProxyError, TimeoutError, OSError."""
    head = b""
    while True:
        connection.settimeout(max(0.001, end - time.monotonic()))
        with waiting():
            ahead = connection.recv(LARGEST_HEAD, socket.MSG_PEEK)
        if not ahead:
            said = f" after {head[:SHOWN]!r}" if head else ""
            raise ProxyError(f"the proxy closed the connection{said}", "does it want another port, or TLS?")
        both = head + ahead
        ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := both.find(mark)) >= 0]
        take = min(ends) - len(head) if ends else len(ahead)
        head += connection.recv(take)
        if ends:
            return head
        if len(head) > LARGEST_HEAD:
            raise ProxyError(f"the head of the proxy's answer is longer than {LARGEST_HEAD} bytes")


def _answer(response: Response) -> Answer:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
    length = next((value for name, value in headers if name == "content-length"), "0")
    if 200 <= response.status_code < 300 and length.strip() != "0":
        raise ProxyError(
            f"the proxy answers {response.status_code} with a body of {length} bytes, where the tunnel is to begin",
            "RFC 7231 §4.3.6: a proxy sends no Content-Length there",
            response.status_code,
        )
    schemes = tuple(
        value.split(None, 1)[0].lower() for name, value in headers if name == "proxy-authenticate" and value.strip()
    )
    return Answer(response.status_code, response.reason.decode("latin-1"), schemes)
