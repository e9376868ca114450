"""What truly arrives: on an interface, before any filter of the host's own; or inside a host, behind its filter."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from drivers.base.interruptions import waiting
from drivers.net.namespace import NetworkNamespace, has_ipv6

ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
ROOM = 16 << 20
"""Bytes that the kernel keeps for us: a flood of a thousand packets is no more than a tenth of it."""
PROTOCOLS = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP, socket.IPPROTO_ESP, socket.IPPROTO_GRE)


class Watcher:
    """Collects what comes in on its sockets."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = sockets
        self.packets: list[bytes] = []
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
            each.setblocking(False)

    def collect(self) -> list[bytes]:
        """Take what has arrived; the packets that are new."""
        new = []
        for each in self._sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data, address = each.recvfrom(65536)
                    if self._wanted(data, address):
                        new.append(data)
        self.packets += new
        return new

    def _wanted(self, packet: bytes, address: tuple[object, ...]) -> bool:
        return True

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
                select.select(self._sockets, [], [], left)

    def close(self) -> None:
        for each in self._sockets:
            each.close()


class Observer(Watcher):
    """Whole IP packets that come in on an interface; its link's own header is taken off."""

    def __init__(self, namespace: NetworkNamespace, interface: str) -> None:
        with namespace.entered():
            link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        link.bind((interface, ETH_P_ALL))
        super().__init__([link])

    def _wanted(self, packet: bytes, address: tuple[object, ...]) -> bool:
        return address[2] != PACKET_OUTGOING


class Leaving(Observer):
    """Whole IP packets that go out on an interface, behind its queue: one that the queue has dropped is not seen."""

    def _wanted(self, packet: bytes, address: tuple[object, ...]) -> bool:
        return address[2] == PACKET_OUTGOING


class Inside(Watcher):
    """What hosts' own firewalls let in: raw sockets are given packets after the filter, ports open or not.

    ``to``: only IPv4 packets for that address. Under a session over L2TP the host is also sent the datagrams that
    carry it, with everything in them; they are the tunnel's, and for another address.
    """

    def __init__(self, *namespaces: NetworkNamespace, to: IPv4Address | None = None) -> None:
        self._to = to
        sockets = []
        for namespace in namespaces:
            with namespace.entered():
                sockets += [socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) for protocol in PROTOCOLS]
                if has_ipv6():
                    sockets.append(socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP))
        super().__init__(sockets)

    def _wanted(self, packet: bytes, address: tuple[object, ...]) -> bool:
        from_ipv6 = len(address) > 2  # of which a raw socket gives no header
        return self._to is None or from_ipv6 or packet[16:20] == self._to.packed
