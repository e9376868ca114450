"""Requests of a transaction over one TLS connection to one service centre."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import select
import socket
import struct
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

from rig.callhome import wire
from rig.callhome.transaction import NotReceivedError
from rig.config.destinations import HTTPS
from rig.drivers.base.interruptions import waiting
from rig.drivers.tls import client as tls
from rig.drivers.tls.policy import Policy
from rig.paths.path import Path as Way
from rig.paths.up import Up

ANSWER_SECONDS = 30.0
"""For an answer, beyond the time that the line takes for what is queued before it."""
BUFFERED_SECONDS = 2.0
"""What is given to the kernel ahead of a slow line."""
LOOK_SECONDS = 0.5
"""How soon a conversation is over once it is done, at the most."""
LEAST_BUFFER, LEAST_PIECE, LARGEST_PIECE = 8192, 512, 1 << 18
_T = TypeVar("_T")


@dataclass(frozen=True)
class Pace:
    """How fast the way is. ``octets``: a second, at most, 0 where nobody knows."""

    octets: float

    @property
    def piece(self) -> int:
        """Bytes that are sent at once."""
        return LARGEST_PIECE if not self.octets else max(LEAST_PIECE, min(LARGEST_PIECE, int(self.octets / 2)))

    @property
    def buffer(self) -> int:
        """Bytes that the kernel is to keep; 0: as it likes."""
        return 0 if not self.octets else max(LEAST_BUFFER, int(self.octets * BUFFERED_SECONDS))

    def seconds(self, octets: int) -> float:
        """How long so many bytes take, 0 where nobody knows."""
        return octets / self.octets if self.octets else 0.0


class Conversation:
    """``beneath``: the socket under TLS. Raises OSError, http.client's errors, and NotReceivedError for what is
    refused."""

    def __init__(self, beneath: socket.socket, secured: Any, server: IPv4Address, agreed: tls.Agreed) -> None:
        self.server = server
        self.agreed = agreed
        self._beneath = beneath
        self._secured = secured
        self._http = http.client.HTTPConnection(str(server), HTTPS)
        self._http.sock = secured

    def ask(self, request: wire.Request, kind: type[_T]) -> _T:
        """What is answered to a request that is whole in itself."""
        self._http.request(request.method, request.target, request.body or None, dict(request.headers))
        return self._answer(kind)

    def send(self, request: wire.Request, pieces: Iterable[bytes], sent: Callable[[int], None], kind: type[_T]) -> _T:
        """The same for one whose body follows. ``sent`` is told of each piece once the kernel has it."""
        self._http.putrequest(request.method, request.target, skip_accept_encoding=True)
        for name, value in request.headers.items():
            self._http.putheader(name, value)
        self._http.endheaders()
        try:
            for piece in pieces:
                if self._answers_already():
                    break  # it refuses the rest
                self._http.send(piece)
                sent(len(piece))
        except (BrokenPipeError, ConnectionResetError):
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._answer(kind)  # why, where it had the time to say it
            raise
        return self._answer(kind)

    def fetch(self, request: wire.Request, most: int) -> Iterator[bytes]:
        """The body of an answer, in pieces."""
        self._http.request(request.method, request.target, None, dict(request.headers))
        answer = self._http.getresponse()
        if answer.status not in (http.client.OK, http.client.PARTIAL_CONTENT):
            wire.answer(answer.status, answer.read(wire.LARGEST_ANSWER), wire.Fixes)
        with answer:  # at whose end it does not close itself, read in pieces
            while piece := answer.read1(most):
                yield piece

    def _answer(self, kind: type[_T]) -> _T:
        answer = self._http.getresponse()
        body = answer.read(wire.LARGEST_ANSWER)
        if not answer.isclosed():
            raise NotReceivedError(f"an answer of more than {wire.LARGEST_ANSWER} bytes")
        return wire.answer(answer.status, body, kind)

    def _answers_already(self) -> bool:
        """Whether something comes before all has been sent: nothing does but a refusal."""
        return bool(select.select([self._beneath], [], [], 0)[0])

    def unacknowledged(self) -> int:
        """Bytes that the kernel has and the other end has not acknowledged (tcp(7), SIOCOUTQ)."""
        return int(struct.unpack("i", fcntl.ioctl(self._beneath, termios.TIOCOUTQ, bytes(4)))[0])

    def close(self) -> None:
        self._secured.close()


@contextlib.contextmanager
def _ending_with(path: Way, beneath: socket.socket) -> Iterator[None]:
    """A connection is shut when its way is gone: by itself it would go on for minutes."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if path.ends_within(LOOK_SECONDS):
                with contextlib.suppress(OSError):
                    beneath.shutdown(socket.SHUT_RDWR)
                return

    watching = threading.Thread(target=watch, daemon=True, name="way of a conversation")
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


@contextlib.contextmanager
def conversation(up: Up, path: Way, server: IPv4Address, policy: Policy, ca: str, pace: Pace) -> Iterator[Conversation]:
    """One with a server over a way that is up, and that ends with it. Raises OSError: TimeoutError, TlsError."""
    plain = up.connect(up.namespace, server, HTTPS, ANSWER_SECONDS + up.queued_seconds)
    with contextlib.closing(plain):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pace.buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, pace.buffer)
        room = plain.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        plain.settimeout(ANSWER_SECONDS + up.queued_seconds + pace.seconds(room + pace.piece))
        with waiting():
            secured, agreed = tls.secure(plain, policy, Path(ca), server)
            # OpenSSL's socket has taken the plain one's place; tlslite-ng's is beside it.
            beneath = secured if isinstance(secured, socket.socket) else plain
            with (
                _ending_with(path, beneath),
                contextlib.closing(Conversation(beneath, secured, server, agreed)) as made,
            ):
                yield made
