"""A PPP peer of our own as a device: sound, or spoiled in one way, on a socket pair, in a thread."""

from __future__ import annotations

import contextlib
import os
import pty
import secrets
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator

from rig.conform.ppp.tester import Tester
from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.lcp import Timing
from tests.unit.own_caller import SECRET, Caller, Wrong

TIMING = Timing(restart=0.8, max_configure=4, max_terminate=2, max_failure=3)
ANSWER_SECONDS = 0.6
PATIENT_SECONDS = 5.0
"""For a device of which every case is to hold: it answers at once, and a crowded machine stands still for longer than
the seconds that are spent wherever an answer is missing."""


class OwnDevice:
    """``spoil``: what is done to each new one; ``write``: what becomes of the bytes that it sends; ``calling``: it says
    who it is and asks for an address, with so much of it wrong; ``answer_seconds``: how long an answer is awaited."""

    timing = TIMING
    at_once = 16

    def __init__(
        self,
        spoil: Callable[[Endpoint], None] = lambda endpoint: None,
        write: Callable[[bytes], bytes] = lambda data: data,
        calling: Wrong | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._answer_seconds = answer_seconds
        self._calling = calling
        self._spoil = spoil
        self._write = write

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        ours, theirs = socket.socketpair()
        closing, over = threading.Event(), threading.Event()
        thread = threading.Thread(target=self._live, args=(theirs, closing, over), daemon=True)
        with ours, theirs:
            ours.setblocking(False)
            thread.start()
            try:
                yield Tester(ours.fileno(), self.timing, closing.set, self._answer_seconds, secret=SECRET)
            finally:
                over.set()
                thread.join(5)

    def _live(self, line: socket.socket, closing: threading.Event, over: threading.Event) -> None:
        endpoint = Endpoint(lambda: secrets.token_bytes(4), self.timing)
        caller = Caller(endpoint, self._calling) if self._calling is not None else None
        self._spoil(endpoint)
        endpoint.begin(time.monotonic())
        while not over.is_set():
            if caller is not None:
                caller.tick(time.monotonic())
            if data := endpoint.send():
                with contextlib.suppress(OSError):
                    line.sendall(self._write(data))
            left = 0.02 if endpoint.deadline is None else min(0.02, max(0.0, endpoint.deadline - time.monotonic()))
            if select.select([line], [], [], left)[0]:
                endpoint.receive(line.recv(65536), time.monotonic())
            if closing.is_set():
                closing.clear()
                endpoint.close(time.monotonic())
            endpoint.tick(time.monotonic())


@contextlib.contextmanager
def at_a_port(spoil: Callable[[Endpoint], None] = lambda endpoint: None) -> Iterator[str]:
    """The same at a pseudo-terminal, for as long as it is wanted: the path of its port."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def live() -> None:
        endpoint = Endpoint(lambda: secrets.token_bytes(4), TIMING)
        spoil(endpoint)
        endpoint.begin(time.monotonic())
        while not over.is_set():
            if data := endpoint.send():
                os.write(master, data)
            if select.select([master], [], [], 0.02)[0]:
                endpoint.receive(os.read(master, 65536), time.monotonic())
            endpoint.tick(time.monotonic())

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        thread.join(5)
        os.close(slave)
        os.close(master)
