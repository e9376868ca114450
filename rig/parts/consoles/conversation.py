"""What consoles say to each other, by TLS on port 9920 (§5.4.1): a line of JSON each way, who each is; behind it, where
one has a request for a call-home server, what handing_on has.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

import msgspec

from rig.drivers.base.typed_json import from_json
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.tls.key_exchange import group_in
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


class Stream:
    """Either end of a conversation, whichever way its bytes come. ``recv``: some of them, none at its end. Raises
    OSError, as what is below does."""

    def __init__(self, recv: Callable[[int], bytes], send: Callable[[bytes], None]) -> None:
        self.send = send
        self._recv = recv
        self._read = b""

    def say(self, value: msgspec.Struct) -> None:
        """A line of it."""
        self.send(msgspec.json.encode(value) + b"\n")

    def heard(self, kind: type[_T], longest: int = LONGEST_LINE) -> _T | None:
        """What a line says; None where the conversation is over. Raises ConnectionError for what is no such line."""
        while b"\n" not in self._read:
            piece = self._recv(LONGEST_LINE)
            self._read += piece
            if not piece and not self._read:
                return None
            if not piece or len(self._read) > longest:
                raise ConnectionError("it said nothing that is a line")
        line, _, self._read = self._read.partition(b"\n")
        try:
            return from_json(line, kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConnectionError(f"it said nothing that is understood: {error}") from None

    def read(self, most: int) -> bytes:
        """Bytes that come behind a line, at most so many; none at its end."""
        if not self._read:
            return self._recv(most)
        piece, self._read = self._read[:most], self._read[most:]
        return piece


@dataclass(frozen=True)
class Talk:
    """A conversation that one has begun. ``patience`` sets for how many seconds each answer is waited for."""

    spoken: Spoken
    stream: Stream
    patience: Callable[[float], None]


@contextlib.contextmanager
def talk(
    namespace: NetworkNamespace, identity: Identity, own: Hello, address: IPv4Address, port: int, fingerprint: str
) -> Iterator[Talk]:
    """Ask a console who it is, and go on from there. Raises OSError: what keeps TLS from coming about, NotTheOneError
    for somebody else."""
    with namespace.entered():
        plain = socket.create_connection((str(address), port), SECONDS)
    with plain:
        secured = _Seen(plain, identity.context(server=False))
        certificate = secured.tls.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest() != fingerprint:
            raise NotTheOneError(f"{address}:{port}: another certificate than was announced")
        stream = Stream(secured.recv, secured.send)
        stream.say(own)
        hello = _hello(stream)
        cipher, version = secured.tls.cipher(), secured.tls.version()
        assert cipher is not None
        assert version is not None
        spoken = Spoken(hello.id, hello.name, version, cipher[0], group_in(secured.records))
        yield Talk(spoken, stream, plain.settimeout)


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
        try:
            return self._done(lambda: self.tls.read(most))
        except ssl.SSLZeroReturnError:
            return b""

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


def answer(secured: ssl.SSLSocket, own: Hello) -> tuple[Hello, Stream]:
    """The other end: who asked, and what they go on with. Raises OSError."""
    stream = Stream(secured.recv, secured.sendall)
    hello = _hello(stream)
    stream.say(own)
    return hello, stream


def _hello(stream: Stream) -> Hello:
    if (hello := stream.heard(Hello)) is None:
        raise ConnectionError("it said nothing that is a line")
    return hello
