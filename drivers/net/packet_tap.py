"""What passes over a network interface, both ways, with the kernel's own time of each packet."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from drivers.net.namespace import NetworkNamespace

ETH_P_ALL = 0x0003
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
TIMESPEC = struct.Struct("qq")
LARGEST = 65536
KEPT = 200_000
"""Packets; those that come later are counted only."""


@dataclass(frozen=True)
class Packet:
    """``time`` in seconds since 1970."""

    time: float
    data: bytes


class PacketTap:
    """Listens from when it is made until :meth:`stop`, in a thread of its own, which tells ``came_in`` of each packet
    that has come in. Raises OSError where there is no such interface."""

    def __init__(
        self, namespace: NetworkNamespace, interface: str, came_in: Callable[[bytes], None] = lambda packet: None
    ) -> None:
        self.interface = interface
        self._came_in = came_in
        self.packets: list[Packet] = []
        self.missed = 0
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.bind((interface, ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._listen, daemon=True, name=f"tap of {interface}")
        self._thread.start()

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket.fileno(), self._wake], [], [])
            if self._socket.fileno() in ready:
                with contextlib.suppress(OSError):  # the interface goes down with its namespace
                    self._take()
            if self._wake in ready:
                while select.select([self._socket.fileno()], [], [], 0)[0]:  # what was there when it was stopped
                    with contextlib.suppress(OSError):
                        self._take()
                return

    def _take(self) -> None:
        data, extra, _, address = self._socket.recvmsg(LARGEST, socket.CMSG_SPACE(TIMESPEC.size))
        if address[2] != PACKET_OUTGOING:
            self._came_in(data)
        if len(self.packets) >= KEPT:
            self.missed += 1
            return
        seconds, nanoseconds = TIMESPEC.unpack(extra[0][2])
        self.packets.append(Packet(seconds + nanoseconds / 1e9, data))

    def stop(self) -> None:
        """Listen no longer; what was heard stays."""
        if self._thread.is_alive():
            os.write(self._woken, b"\n")
            self._thread.join()
            self._socket.close()
            os.close(self._wake)
            os.close(self._woken)
