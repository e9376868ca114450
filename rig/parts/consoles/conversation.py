"""What consoles say to each other, by TLS on port 9920 (§5.4.1): a line of JSON each way, who each is."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

import msgspec

from drivers.net.namespace import NetworkNamespace
from drivers.tls.key_exchange import group_in
from rig.parts.consoles.identity import Identity

SECONDS = 5.0
LONGEST_LINE = 4096
FIRST_RECORDS = 16384
_T = TypeVar("_T")


class Hello(msgspec.Struct, frozen=True):
    """Who speaks. ``version`` of what is spoken."""

    id: str
    name: str
    version: int = 1


@dataclass(frozen=True)
class Spoken:
    """What a conversation came to: with whom, and how its keys were agreed on."""

    id: str
    name: str
    version: str
    suite: str
    group: str


class NotTheOneError(OSError):
    """Somebody else is there than was announced."""


def speak(
    namespace: NetworkNamespace, identity: Identity, own: Hello, address: IPv4Address, port: int, fingerprint: str
) -> Spoken:
    """Ask a console who it is. Raises OSError: what keeps TLS from coming about, NotTheOneError for somebody else."""
    with namespace.entered():
        plain = socket.create_connection((str(address), port), SECONDS)
    with plain:
        secured = _Seen(plain, identity.context(server=False))
        certificate = secured.tls.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest() != fingerprint:
            raise NotTheOneError(f"{address}:{port}: another certificate than was announced")
        secured.send(msgspec.json.encode(own) + b"\n")
        hello = _line(secured.recv)
        cipher, version = secured.tls.cipher(), secured.tls.version()
        assert cipher is not None
        assert version is not None
        return Spoken(hello.id, hello.name, version, cipher[0], group_in(secured.records))


class _Seen:
    """TLS over a connection, by bytes that pass through here, so that what is in clear of them can be read.
    ``records``: the server's first. Raises OSError."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        self._plain = plain
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.records = b""
        self.tls = context.wrap_bio(self._in, self._out)
        self._done(self.tls.do_handshake)

    def send(self, data: bytes) -> None:
        self._done(lambda: self.tls.write(data))

    def recv(self, most: int) -> bytes:
        return self._done(lambda: self.tls.read(most))

    def _done(self, step: Callable[[], _T]) -> _T:
        """A step, and the bytes that it takes."""
        while True:
            try:
                value = step()
            except ssl.SSLWantReadError:
                self._plain.sendall(self._out.read())
                data = self._plain.recv(FIRST_RECORDS)
                if not data:
                    raise ConnectionError("it ended the connection") from None
                self.records += data if len(self.records) < FIRST_RECORDS else b""
                self._in.write(data)
                continue
            self._plain.sendall(self._out.read())
            return value


def answer(secured: ssl.SSLSocket, own: Hello) -> Hello:
    """The other end: who asked. Raises OSError."""
    hello = _line(secured.recv)
    secured.sendall(msgspec.json.encode(own) + b"\n")
    return hello


def _line(recv: Callable[[int], bytes]) -> Hello:
    line = b""
    while not line.endswith(b"\n"):
        piece = recv(LONGEST_LINE)
        line += piece
        if not piece or len(line) > LONGEST_LINE:
            raise ConnectionError("it said nothing that is a line")
    try:
        return msgspec.json.decode(line, type=Hello)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConnectionError(f"it said nothing that is understood: {error}") from None
