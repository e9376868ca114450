"""Packets as they pass an interface, both ways, with the kernel's own time of each. Every receiver of packets is one of
these, and what it does with them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from rig.drivers.net.namespace import NetworkNamespace

ETH_P_ALL = 0x0003
IPV4, IPV6 = 0x0800, 0x86DD
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 1, 1, 15, 23
UNDONE = 10
"""Octets of a virtio_net_hdr: sums that are not there yet, as of who sends over a veth, and how it is to be cut."""
PACKET_MREQ = struct.Struct("iHH8s")
TIMESPEC = struct.Struct("qq")
ROOM = 16 << 20
"""Bytes that the kernel keeps for us: a flood of a thousand packets is no more than a tenth of it."""
LARGEST = 65536 + UNDONE


class Packet(NamedTuple):
    """``time`` in seconds since 1970; ``data``: from the link's header on, or without it; ``outgoing``: whether it was
    sent here; ``kind``: its EtherType."""

    time: float
    data: bytes
    outgoing: bool = False
    kind: int = IPV4


class PacketSocket:
    """From when it is made. ``interface``: "" for every one of the namespace; ``headers``: whether the link's own is
    part of a packet's data; ``relayed``: they are to be sent on, also those that are for others, and what the
    kernel has left to be done to each stands before it (UNDONE), where a sender has to say it; ``incoming``: nothing
    that is sent here. Raises OSError where there is no such interface."""

    def __init__(
        self,
        namespace: NetworkNamespace,
        interface: str,
        *,
        headers: bool = False,
        relayed: bool = False,
        incoming: bool = False,
    ) -> None:
        kind = socket.SOCK_RAW if headers else socket.SOCK_DGRAM
        everywhere = 0 if interface else socket.htons(ETH_P_ALL)  # with 0 it hears nothing until it is bound
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, kind, everywhere)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, incoming)
            self._socket.setblocking(False)
            if interface:
                self._socket.bind((interface, ETH_P_ALL))
            if relayed:
                self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
                with namespace.entered():
                    index = socket.if_nametoindex(interface)
                wanted = PACKET_MREQ.pack(index, PACKET_MR_PROMISC, 0, bytes(8))
                self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, wanted)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """To be polled: readable when there is a packet."""
        return self._socket.fileno()

    def take(self) -> Iterator[Packet]:
        """All that is there now. Raises OSError, once, when the interface has gone down."""
        while True:
            try:
                data, extra, _, address = self._socket.recvmsg(LARGEST, socket.CMSG_SPACE(TIMESPEC.size))
            except BlockingIOError:
                return
            seconds, nanoseconds = TIMESPEC.unpack(extra[0][2])
            yield Packet(seconds + nanoseconds / 1e9, data, address[2] == PACKET_OUTGOING, address[1])

    def send(self, frame: bytes) -> None:
        """A whole frame, as it was taken; of a socket with ``headers`` and an interface. Raises OSError."""
        self._socket.send(frame)

    def close(self) -> None:
        self._socket.close()
