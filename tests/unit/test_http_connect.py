"""CONNECT through a proxy that does what a test says: each answer has an outcome, and nothing of the tunnel is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import pytest

from rig.drivers.base.secret import Secret
from rig.drivers.net.http_connect import LARGEST_HEAD, Answer, ProxyError, ask, basic, request

HOST = IPv4Address("129.42.160.48")
GOOD = b"HTTP/1.1 200 Connection established\r\n\r\n"
Said = Callable[[socket.socket], None]


@contextmanager
def proxy(say: Said) -> Iterator[socket.socket]:
    """The console's end of a connection at whose other end ``say`` is run, once the request has come."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        asked = b""
        while not asked.endswith(b"\r\n\r\n") and (part := theirs.recv(4096)):
            asked += part
        say(theirs)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ours
    finally:
        ours.close()
        thread.join()
        theirs.close()


def answer_to(*pieces: bytes, end: bool = False, seconds: float = 5.0) -> Answer:
    def say(there: socket.socket) -> None:
        for piece in pieces:
            there.sendall(piece)
            time.sleep(0.002)  # so that each is a segment of its own
        if end:
            there.shutdown(socket.SHUT_WR)

    with proxy(say) as connection:
        return ask(connection, HOST, 443, None, seconds)


def test_the_request_is_as_the_rfcs_have_it() -> None:
    said = request(HOST, 443, Secret("hmc", "se:cret"))
    assert said.startswith(b"CONNECT 129.42.160.48:443 HTTP/1.1\r\n")
    assert said.lower().count(b"host: 129.42.160.48:443\r\n") == 1
    assert b"proxy-authorization: basic " in said.lower()
    assert basic(Secret("Aladdin", "open sesame")) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 2617 §2's own


@pytest.mark.parametrize(
    "pieces",
    [
        (GOOD,),
        tuple(bytes([byte]) for byte in GOOD),
        (b"HTTP/1.0 200 OK\r\nProxy-agent: old/1.0\r\n\r\n",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", GOOD),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",),
        (b"HTTP/1.1 200 OK\n\n",),
        (b"HTTP/1.1 200 OK\r\nVia: " + b"x" * 30000 + b"\r\n\r\n",),
    ],
    ids=["at once", "byte by byte", "HTTP/1.0", "100 before", "no body", "LF alone", "a long head"],
)
def test_a_good_answer_is_one_however_it_comes(pieces: tuple[bytes, ...]) -> None:
    assert answer_to(*pieces).status == 200


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((), "closed the connection"),
        ((b"HTTP/1.1 200 Conn",), "closed the connection after b'HTTP/1.1 200 Conn"),
        ((b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",), "cannot be read"),
        ((b"\x16\x03\x01\x02\x00\r\n\r\n",), "cannot be read"),
        ((b"HTTP/1.1 200 OK\r\nVia: " + b"x" * (LARGEST_HEAD + 1),), "is longer than"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nWelcome!\n",), "with a body of 9 bytes"),
    ],
    ids=["closes", "cut short", "another protocol", "TLS", "a huge head", "a body before the tunnel"],
)
def test_what_is_no_answer_is_an_outcome(pieces: tuple[bytes, ...], words: str) -> None:
    with pytest.raises(ProxyError, match=words) as failure:
        answer_to(*pieces, end=True)
    assert failure.value.exit_status == 23


def test_a_proxy_that_says_nothing_is_given_up_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(ProxyError, match=r"said nothing for 0\.3 s"):
        answer_to(seconds=0.3)
    assert time.monotonic() - began < 3


def test_one_that_drips_is_given_up_in_time_too() -> None:
    def drip(there: socket.socket) -> None:
        try:
            while True:
                there.sendall(b"H")
                time.sleep(0.02)
        except OSError:
            pass

    began = time.monotonic()
    with proxy(drip) as connection, pytest.raises(ProxyError):
        ask(connection, HOST, 443, None, 0.5)
    assert time.monotonic() - began < 3


def test_what_comes_behind_the_answer_is_the_tunnels() -> None:
    """Catches bytes that were read with the head, and are then missing."""
    with proxy(lambda there: there.sendall(GOOD + b"220 ready\r\n")) as connection:
        assert ask(connection, HOST, 443, None, 5.0).status == 200
        assert connection.recv(4096) == b"220 ready\r\n"


def test_the_schemes_of_a_challenge_are_told() -> None:
    answer = answer_to(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n"
        b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    )
    assert (answer.status, answer.schemes) == (407, ("negotiate", "basic"))
