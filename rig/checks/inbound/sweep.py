"""Every TCP port of an address, asked at once: what answers, and what got in where one can look.

65,535 probes of the usual kind would take a minute to make; here one packet is made, and its port changed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from rig.drivers.base.dissection import dpkt
from rig.drivers.net.link_end import LinkEnd
from rig.probes import packets
from rig.probes.engine import Sender
from rig.probes.observer import Watcher

ALL_PORTS = range(1, 65536)
SOURCE_PORT = 61000
COLLECT_EVERY = 128


@dataclass
class Answers:
    """Ports by what came back: a SYN ACK, or anything else; ``inside``: those whose SYN was seen behind the filter."""

    opened: set[int] = field(default_factory=set)
    other: set[int] = field(default_factory=set)
    inside: set[int] = field(default_factory=set)


def _syns(source: IPv4Address, target: IPv4Address, ports: Iterable[int]) -> Iterable[bytes]:
    """SYNs that differ in nothing but the port; the checksum follows it (RFC 1624)."""
    first = bytearray(packets.tcp(source, target, 0, 0, source_port=SOURCE_PORT))
    del first[40:]  # no mark: 12 bytes less for each
    first = bytearray(packets.ip(source, target, packets.TCP, bytes(first[20:40]), 0))
    pseudo = source.packed + target.packed + struct.pack("!BBH", 0, packets.TCP, 20)
    first[36:38] = bytes(2)
    base = ~dpkt.dpkt.in_cksum(pseudo + bytes(first[20:40])) & 0xFFFF
    for port in ports:
        total = base + port
        first[22:24] = port.to_bytes(2, "big")
        first[36:38] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
        yield bytes(first)


class TcpSweep:
    """One sweep. ``send`` first, then something behind it that must arrive, then ``answers``."""

    def __init__(
        self, end: LinkEnd, source: IPv4Address, target: IPv4Address, near: Watcher, inside: Watcher | None
    ) -> None:
        self._end = end
        self._source = source
        self._target = target
        self._near = near
        self._inside = inside

    def send(self, ports: Iterable[int]) -> None:
        """Send a SYN to each. Raises ProbeError when the link takes no more."""
        with closing(Sender(self._end)) as sender:
            for number, packet in enumerate(_syns(self._source, self._target, ports)):
                sender.put(packet)
                if number % COLLECT_EVERY == 0:
                    self._collect()

    def _collect(self) -> None:
        self._near.collect()
        if self._inside is not None:
            self._inside.collect()

    def answers(self) -> Answers:
        """What has come by now. What was half opened is ended."""
        self._collect()
        found = Answers()
        with closing(Sender(self._end)) as sender:
            for packet in self._near.packets:
                self._take(packet, found, sender)
        if self._inside is not None:
            found.inside = {port for packet in self._inside.packets if (port := self._asked_by(packet)) is not None}
        return found

    def _take(self, packet: bytes, found: Answers, sender: Sender) -> None:
        head = dpkt.ip.IP(packet) if packet[0] >> 4 == 4 else None
        if head is None or head.src != self._target.packed or not isinstance(head.data, dpkt.tcp.TCP):
            return
        if head.data.dport != SOURCE_PORT:
            return
        if (reset := packets.reset_of(packet)) is not None:
            found.opened.add(head.data.sport)
            sender.put(reset)
        else:
            found.other.add(head.data.sport)

    def _asked_by(self, packet: bytes) -> int | None:
        """The port that one of ours asked for; a raw socket gives the header too."""
        length = (packet[0] & 15) * 4
        if packet[0] >> 4 != 4 or packet[9] != packets.TCP or packet[12:16] != self._source.packed:
            return None
        source_port, port = struct.unpack_from("!HH", packet, length)
        return port if source_port == SOURCE_PORT and packet[16:20] == self._target.packed else None
