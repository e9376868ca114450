"""A managed system, as far as consoles need one to find each other (§5.4.1): what one that manages it says of itself is
told to the others that do, whatever network each is on. It reads nothing of it."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.consoles.announcement import LARGEST, PORT

REMEMBERED_SECONDS = 60.0
MOST = 16
"""Consoles that manage one system."""


@dataclass(frozen=True)
class SystemPlan:
    """``addresses``: its own, one on each of its networks."""

    namespace: str
    addresses: tuple[IPv4Address, ...]


class ManagedSystem:
    """Its sockets are bound to its addresses: a broadcast on one of its networks is nothing that it was told."""

    def __init__(self, plan: SystemPlan) -> None:
        self._heard: dict[tuple[str, int], tuple[float, socket.socket]] = {}
        self._sockets = []
        with NetworkNamespace(plan.namespace).entered():
            for address in plan.addresses:
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                made.bind((str(address), PORT))
                self._sockets.append(made)

    def run(self) -> None:
        while True:
            ready, _, _ = select.select(self._sockets, [], [])
            for one in ready:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self._tell(*one.recvfrom(LARGEST + 1), one)

    def _tell(self, datagram: bytes, source: tuple[str, int], by: socket.socket) -> None:
        now = time.monotonic()
        self._heard = {who: one for who, one in self._heard.items() if one[0] > now - REMEMBERED_SECONDS}
        if source not in self._heard and len(self._heard) >= MOST:
            return
        self._heard[source] = now, by
        for who, (_, through) in self._heard.items():
            if who != source:
                with contextlib.suppress(OSError):
                    through.sendto(datagram, who)


def main(plan: SystemPlan, *, ready: Callable[[], None]) -> None:
    """Run one until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    system = ManagedSystem(plan)
    threading.Thread(target=system.run, daemon=True, name="managed system").start()
    ready()
    stop.wait()
