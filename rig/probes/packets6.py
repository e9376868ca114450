"""Packets of IPv6 for probes (RFC 8200), each with its probe's number in its payload."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

from rig.drivers.base.dissection import dpkt
from rig.probes.packets import SYN, TCP, UDP, mark, port_of

HOP_BY_HOP, ROUTING, FRAGMENT, ICMPV6, NOTHING, OPTIONS = 0, 43, 44, 58, 59, 60
ECHO, UNREACHABLE, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, REDIRECT = 128, 1, 134, 135, 137
"""Types of ICMPv6 (RFC 4443, RFC 4861)."""


def ip6(source: IPv6Address, destination: IPv6Address, following: int, payload: bytes) -> bytes:
    """A packet; ``following``: the number of the header that comes next."""
    return struct.pack("!IHBB", 6 << 28, len(payload), following, 64) + source.packed + destination.packed + payload


def tcp6(
    source: IPv6Address, destination: IPv6Address, port: int, number: int, *, flags: int = SYN,
    source_port: int | None = None,
) -> bytes:  # fmt: skip
    """A TCP segment with the mark as its data."""
    return ip6(source, destination, TCP, _tcp(source, destination, port, number, flags, source_port))


def _tcp(
    source: IPv6Address, destination: IPv6Address, port: int, number: int, flags: int, source_port: int | None
) -> bytes:
    own = port_of(number) if source_port is None else source_port
    head = dpkt.tcp.TCP(sport=own, dport=port, seq=number, flags=flags, win=8192, data=mark(number))
    return _summed(source, destination, TCP, bytes(head), 16)


def udp6(
    source: IPv6Address, destination: IPv6Address, port: int, number: int, source_port: int | None = None
) -> bytes:
    """A UDP datagram with the mark."""
    own = port_of(number) if source_port is None else source_port
    datagram = struct.pack("!HHHH", own, port, 8 + len(mark(number)), 0) + mark(number)
    return ip6(source, destination, UDP, _summed(source, destination, UDP, datagram, 6))


def icmp6(
    source: IPv6Address, destination: IPv6Address, kind: int, number: int, rest: bytes = b"", code: int = 0
) -> bytes:
    """An ICMPv6 message. ``rest`` follows the header's second word."""
    body = struct.pack("!BBHHH", kind, code, 0, number, 1) + rest + mark(number)
    return ip6(source, destination, ICMPV6, _summed(source, destination, ICMPV6, body, 2))


def raw6(source: IPv6Address, destination: IPv6Address, following: int, number: int, head: bytes = b"") -> bytes:
    """A packet with any number for its next header: ``head``, then the mark."""
    return ip6(source, destination, following, head + mark(number))


def behind(source: IPv6Address, destination: IPv6Address, extension: int, port: int, number: int) -> bytes:
    """A SYN with an extension header before it: padding, of a routing header one of type 0 that is used up, of a
    fragment's one that is all there is (RFC 6946)."""
    headers = {
        HOP_BY_HOP: struct.pack("!BBBB", TCP, 0, 1, 4) + bytes(4),
        OPTIONS: struct.pack("!BBBB", TCP, 0, 1, 4) + bytes(4),
        ROUTING: struct.pack("!BBBB", TCP, 0, 0, 0) + bytes(4),
        FRAGMENT: struct.pack("!BBHI", TCP, 0, 0, number),
    }
    segment = _tcp(source, destination, port, number, SYN, None)
    return ip6(source, destination, extension, headers[extension] + segment)


def _summed(source: IPv6Address, destination: IPv6Address, protocol: int, segment: bytes, at: int) -> bytes:
    """With the sum at its place (RFC 8200 §8.1)."""
    pseudo = source.packed + destination.packed + struct.pack("!II", len(segment), protocol)
    total = dpkt.dpkt.in_cksum(pseudo + segment[:at] + b"\0\0" + segment[at + 2 :])
    return segment[:at] + struct.pack("!H", total) + segment[at + 2 :]
