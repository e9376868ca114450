"""What truly arrives: on an interface, before any filter of the host's own; or inside a host, behind its filter."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address
from typing import Protocol

from rig.drivers.base.interruptions import waiting
from rig.drivers.net.namespace import NetworkNamespace, has_ipv6
from rig.drivers.net.packet_socket import LARGEST, ROOM, SO_RCVBUFFORCE, PacketSocket

PROTOCOLS = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP, socket.IPPROTO_ESP, socket.IPPROTO_GRE)


class Source(Protocol):
    """Where packets come from. ``new``: whole IP packets that are there now and were not taken before."""

    def fileno(self) -> int: ...

    def new(self) -> Iterable[bytes]: ...

    def close(self) -> None: ...


class Watcher:
    """Collects what comes from its sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.packets: list[bytes] = []

    def collect(self) -> list[bytes]:
        """Take what has arrived; the packets that are new."""
        new = [packet for source in self._sources for packet in source.new()]
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
                select.select(self._sources, [], [], left)

    def close(self) -> None:
        for each in self._sources:
            each.close()


def arriving(namespace: NetworkNamespace, interface: str) -> Watcher:
    """Of what comes in on an interface."""
    return Watcher([_OneWay(PacketSocket(namespace, interface, incoming=True), outgoing=False)])


def arriving_at(places: Iterable[tuple[NetworkNamespace, str]]) -> Watcher:
    """Of what comes in at several places, each a namespace and an interface; "" for every one that it has or gets."""
    return Watcher([_OneWay(PacketSocket(*place, incoming=True), outgoing=False) for place in places])


def leaving(namespace: NetworkNamespace, interface: str) -> Watcher:
    """Of what goes out on an interface, behind its queue: what the queue has dropped is not seen."""
    return Watcher([_OneWay(PacketSocket(namespace, interface), outgoing=True)])


def inside(*namespaces: NetworkNamespace, to: IPv4Address | None = None) -> Watcher:
    """Of what hosts' own firewalls let in. ``to``: only IPv4 packets for that address. Under a session over L2TP the
    host is also sent the datagrams that carry it, with everything in them; they are the tunnel's, and for another
    address."""
    sources: list[Source] = []
    for namespace in namespaces:
        with namespace.entered():
            sources += [_BehindFilter(socket.AF_INET, protocol, to) for protocol in PROTOCOLS]
            if has_ipv6():
                sources.append(_BehindFilter(socket.AF_INET6, socket.IPPROTO_UDP, None))
    return Watcher(sources)


class _OneWay:
    """One way of what passes an interface."""

    def __init__(self, packets: PacketSocket, *, outgoing: bool) -> None:
        self._packets = packets
        self._outgoing = outgoing
        self.fileno = packets.fileno
        self.close = packets.close

    def new(self) -> Iterable[bytes]:
        return [packet.data for packet in self._packets.take() if packet.outgoing is self._outgoing]


class _BehindFilter:
    """A raw socket, which is given packets after the filter, ports open or not; of IPv6 without the header."""

    def __init__(self, family: socket.AddressFamily, protocol: int, to: IPv4Address | None) -> None:
        self._socket = socket.socket(family, socket.SOCK_RAW, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self._socket.setblocking(False)
        self._to = to
        self.fileno = self._socket.fileno
        self.close = self._socket.close

    def new(self) -> Iterable[bytes]:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = self._socket.recv(LARGEST)
                if self._to is None or packet[16:20] == self._to.packed:
                    yield packet
