"""What consoles say to each other, by TLS on port 9920 (§5.4.1): a line of JSON each way, who each is."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address

import msgspec

from drivers.net.namespace import NetworkNamespace
from drivers.tls.key_exchange import group_in
from rig.parts.consoles.identity import Identity

SECONDS = 5.0
LONGEST_LINE = 4096
FIRST_RECORDS = 16384


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
    with plain, identity.context(server=False).wrap_socket(plain, do_handshake_on_connect=False) as secured:
        group = _handshaken(secured)
        certificate = secured.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest() != fingerprint:
            raise NotTheOneError(f"{address}:{port}: another certificate than was announced")
        secured.sendall(msgspec.json.encode(own) + b"\n")
        hello = _line(secured)
        cipher, version = secured.cipher(), secured.version()
        assert cipher is not None
        assert version is not None
        return Spoken(hello.id, hello.name, version, cipher[0], group)


def _handshaken(secured: ssl.SSLSocket) -> str:
    """Through the handshake; the group that the server's first records name."""
    secured.setblocking(False)
    records = b""
    while True:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            secured.settimeout(SECONDS)
            # Past OpenSSL, which takes them next.
            seen = socket.socket.recv(secured, FIRST_RECORDS, socket.MSG_PEEK)
            if not seen:
                raise ConnectionError("it ended the connection") from None
            records = max(records, seen, key=len) if not group_in(records) else records
            secured.setblocking(False)
            continue
        secured.settimeout(SECONDS)
        return group_in(records)


def answer(secured: ssl.SSLSocket, own: Hello) -> Hello:
    """The other end: who asked. Raises OSError."""
    hello = _line(secured)
    secured.sendall(msgspec.json.encode(own) + b"\n")
    return hello


def _line(secured: ssl.SSLSocket) -> Hello:
    line = b""
    while not line.endswith(b"\n"):
        piece = secured.recv(LONGEST_LINE)
        line += piece
        if not piece or len(line) > LONGEST_LINE:
            raise ConnectionError("it said nothing that is a line")
    try:
        return msgspec.json.decode(line, type=Hello)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConnectionError(f"it said nothing that is understood: {error}") from None
