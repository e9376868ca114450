"""What passes over a network interface, both ways, kept as it comes."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable

from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.packet_socket import Packet, PacketSocket

KEPT = 200_000
"""Packets; those that come later are counted only."""


class PacketTap:
    """Listens from when it is made until :meth:`stop`, in a thread of its own, which tells ``came_in`` of each packet
    that has come in; whole frames. Raises OSError where there is no such interface."""

    def __init__(
        self, namespace: NetworkNamespace, interface: str, came_in: Callable[[bytes], None] = lambda packet: None
    ) -> None:
        self.interface = interface
        self._came_in = came_in
        self.packets: list[Packet] = []
        self.missed = 0
        self._socket = PacketSocket(namespace, interface, headers=True)
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._listen, daemon=True, name=f"tap of {interface}")
        self._thread.start()

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket.fileno(), self._wake], [], [])
            with contextlib.suppress(OSError):  # the interface goes down with its namespace
                self._take()  # also what was there when it was stopped
            if self._wake in ready:
                return

    def _take(self) -> None:
        for packet in self._socket.take():
            if not packet.outgoing:
                self._came_in(packet.data)
            if len(self.packets) >= KEPT:
                self.missed += 1
            else:
                self.packets.append(packet)

    def stop(self) -> None:
        """Listen no longer; what was heard stays."""
        if self._thread.is_alive():
            os.write(self._woken, b"\n")
            self._thread.join()
            self._socket.close()
            os.close(self._wake)
            os.close(self._woken)
