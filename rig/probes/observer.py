"""What truly arrives on an interface, seen by an AF_PACKET socket in its namespace."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable

from drivers.interruptions import waiting
from drivers.namespace import NetworkNamespace

ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
ROOM = 16 << 20
"""Bytes that the kernel keeps for us: a flood of a thousand packets is no more than a tenth of it."""


class Observer:
    """Collects whole IP packets that come in on an interface; its link's own header is taken off."""

    def __init__(self, namespace: NetworkNamespace, interface: str) -> None:
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.setblocking(False)
        self.packets: list[bytes] = []

    def collect(self) -> list[bytes]:
        """Take what has arrived; the packets that are new."""
        new = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, address = self._socket.recvfrom(65536)
                if address[2] != PACKET_OUTGOING:
                    new.append(data)
        self.packets += new
        return new

    def wait_for(self, wanted: Callable[[bytes], bool], seconds: float) -> bool:
        """Wait for a packet; whether it came within so many seconds."""
        end = time.monotonic() + seconds
        while True:
            if any(wanted(packet) for packet in self.collect()):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            with waiting():
                select.select([self._socket], [], [], left)

    def close(self) -> None:
        self._socket.close()
