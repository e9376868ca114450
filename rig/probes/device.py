"""What a device under test does on the customer's network, by the packets that it sends: every connection that it
opens, whether that is to an authorized address and port, and what it says in clear. Packets in, deeds out."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from rig.callhome.forbidden import Forbidden, Search
from rig.config.destinations import ESP, HTTPS, Destinations, Service
from rig.drivers.base.dissection import dpkt

TLS_HANDSHAKE = b"\x16\x03"
"""A record's type and major version (RFC 5246 §6.2.1)."""
CONNECT = b"CONNECT "
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = b"\x08\x00", b"\x86\xdd"
SHOWN = 60
ESP_PROTOCOL = 50
PROTOCOLS = {1: "ICMP", 47: "GRE", 50: "ESP", 51: "AH"}

Flow = tuple[int, int, int]
"""Its own port, the other's address, the other's port."""


@dataclass(frozen=True)
class Deed:
    """One thing that it did. ``good``: whether it may."""

    what: str
    good: bool


@dataclass
class DeviceWatch:
    """``device``: its address; ``proxy``: the proxy's address and port, where the way home is through one;
    ``forbidden``: what is looked for in all that goes by in clear."""

    device: IPv4Address
    allowed: Destinations
    proxy: tuple[IPv4Address, int] | None = None
    opened: int = 0
    strangers: int = 0
    in_clear: int = 0
    _flows: set[Flow] = field(default_factory=set)
    _secured: set[Flow] = field(default_factory=set)
    _told_of: set[Flow] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    forbidden: Forbidden | None = None
    _searches: dict[tuple[int, Flow], Search] = field(default_factory=dict)

    def feed(self, frame: bytes) -> list[Deed]:
        """An Ethernet frame that the device has sent: what is new in it."""
        kind, packet = frame[12:14], frame[14:]
        if kind == ETHERTYPE_IPV6:
            return self._ipv6(packet[24:40])
        if kind != ETHERTYPE_IPV4:
            return []  # ARP, spanning tree: the cable's own
        try:
            packet = dpkt.ip.IP(packet)
        except (dpkt.dpkt.Error, ValueError, IndexError):
            return self._once(f"an IPv4 packet that cannot be read: {frame[14:30].hex()}")
        source, to = (IPv4Address(each) for each in (packet.src, packet.dst))
        if source != self.device:
            return self._once(f"a packet with the source {source}, to {to}")
        if isinstance(packet.data, dpkt.tcp.TCP):
            return self._tcp(packet.data, to)
        if isinstance(packet.data, dpkt.udp.UDP):
            port = packet.data.dport
            good = self.allowed.lets(to, Service("udp", port))
            found = self._looked_for((packet.data.sport, int(to), port), to, packet.p, bytes(packet.data.data))
            return [*self._once(f"UDP to {to}:{port}", good=good), *found]
        good = packet.p == ESP_PROTOCOL and self.allowed.lets(to, ESP)
        return self._once(f"{PROTOCOLS.get(packet.p, f'protocol {packet.p}')} to {to}", good=good)

    def _once(self, what: str, *, good: bool = False) -> list[Deed]:
        """What has no connections of its own: told once, and what may be counts as one."""
        if what in self._told:
            return []
        self._told.add(what)
        self.opened += good
        self.strangers += not good
        return [Deed(what, good)]

    def _ipv6(self, to: bytes) -> list[Deed]:
        if to[:1] == b"\xff" or to[:2] == b"\xfe\x80" or len(to) < 16:  # neighbours on the cable
            return []
        return self._once(f"IPv6 to {socket.inet_ntop(socket.AF_INET6, to)}")

    def _authorized(self, host: IPv4Address, port: int) -> bool:
        return port == HTTPS and (self.allowed.anybody or host in self.allowed.servers)

    def _tcp(self, segment: dpkt.tcp.TCP, to: IPv4Address) -> list[Deed]:
        flow = (segment.sport, int(to), segment.dport)
        found = []
        if segment.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK) == dpkt.tcp.TH_SYN:
            if flow in self._flows:  # said again, because nobody answered
                return []
            self._flows.add(flow)
            self._secured.discard(flow)
            self._told_of.discard(flow)
            self._searches.pop((socket.IPPROTO_TCP, flow), None)
            self.opened += 1
            good = (to, segment.dport) == self.proxy if self.proxy else self._authorized(to, segment.dport)
            self.strangers += not good
            found.append(Deed(f"opened a connection to {to}:{segment.dport}", good))
        data = bytes(segment.data)
        if data and flow not in self._told_of:
            found += self._said(flow, to, segment.dport, data)
        if data and flow not in self._secured:
            found += self._looked_for(flow, to, socket.IPPROTO_TCP, data)
        return found

    def _looked_for(self, flow: Flow, to: IPv4Address, protocol: int, data: bytes) -> list[Deed]:
        """What may not leave, in clear."""
        if self.forbidden is None:
            return []
        search = self._searches.setdefault((protocol, flow), self.forbidden.search())
        return [
            Deed(f"sent in clear to {to}:{flow[2]} what may not leave, {each}", False) for each in search.feed(data)
        ]

    def _said(self, flow: Flow, to: IPv4Address, port: int, data: bytes) -> list[Deed]:
        """The first data of a connection, or of what a proxy leads through to."""
        if data.startswith(TLS_HANDSHAKE):
            self._secured.add(flow)
            self._told_of.add(flow)
            return []
        first_line = data.split(b"\r\n", 1)[0][:SHOWN].decode("ascii", "replace")
        if self.proxy is not None and (to, port) == self.proxy and data.startswith(CONNECT):
            return self._asked(data[len(CONNECT) :].split(None, 1)[0].decode("ascii", "replace"))
        self._told_of.add(flow)  # told once a connection
        self.in_clear += 1
        return [Deed(f"sent in clear to {to}:{port}: {first_line!r}", False)]

    def _asked(self, target: str) -> list[Deed]:
        host, _, port = target.partition(":")
        try:
            good = self._authorized(IPv4Address(host), int(port))
        except ValueError:
            good = False  # a name: nobody can say whose
        self.strangers += not good
        return [Deed(f"asked the proxy for {target[:SHOWN]}", good)]

    def summary(self) -> str:
        """All of it in one line."""
        if not self.opened:
            return "the device has opened no connection"
        return (
            f"the device has opened {self.opened} connections; {self.strangers} times it did what it may not, "
            f"{self.in_clear} times it spoke in clear"
        )
