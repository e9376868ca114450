"""Packets for probes, each with its probe's number in it: in the IP identification, and in the payload.

The number is what an observer looks for, so that a packet is known again behind the fence whatever it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv4Address

from rig.config.destinations import HTTPS
from rig.drivers.base.dissection import dpkt

MARK = b"RIGPROBE"
"""Stands before a probe's number in its payload."""
TCP, UDP, ICMP, ESP, GRE, IPIP, IPV6 = 6, 17, 1, 50, 47, 4, 41
NOBODYS_PORT = 61500
"""Above those that the kernel gives to connections (32768 to 60999, ip_local_port_range): what comes to one of them
might belong to a flow of the caller's own, which conntrack knows for two minutes after it has ended."""
FLOW_PORTS = range(62000, 65000)
"""For a flow that probes are about, for the same reason."""
FIRST_PORT = 20000
MORE_FRAGMENTS = 0x2000
RECORD_ROUTE = bytes([7, 7, 4]) + bytes(4)
"""An IP option (RFC 791 §3.1)."""
FIN, SYN, RST, PUSH, ACK, URG = (
    dpkt.tcp.TH_FIN, dpkt.tcp.TH_SYN, dpkt.tcp.TH_RST, dpkt.tcp.TH_PUSH, dpkt.tcp.TH_ACK, dpkt.tcp.TH_URG,
)  # fmt: skip


def mark(number: int) -> bytes:
    """The payload of a probe."""
    return MARK + struct.pack("!I", number)


def port_of(number: int) -> int:
    """The source port of a probe: by it an answer is known to be its own."""
    return FIRST_PORT + number % 40000


def ip(
    source: IPv4Address,
    destination: IPv4Address,
    protocol: int,
    payload: bytes,
    number: int,
    *,
    ttl: int = 64,
    options: bytes = b"",
    offset: int = 0,
    more: bool = False,
) -> bytes:
    """An IPv4 packet. ``offset`` of a fragment in bytes; ``options`` are padded (RFC 791)."""
    options += bytes(-len(options) % 4)
    length = 20 + len(options)
    flags = (MORE_FRAGMENTS if more else 0) | offset // 8
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(payload), number, flags, ttl, protocol, 0,
        source.packed, destination.packed,
    )  # fmt: skip
    head += options
    return head[:10] + struct.pack("!H", dpkt.dpkt.in_cksum(head)) + head[12:] + payload


def tcp(
    source: IPv4Address, destination: IPv4Address, port: int, number: int, *, flags: int = dpkt.tcp.TH_SYN,
    source_port: int | None = None, seq: int | None = None, ack: int = 0, **header: int | bytes,
) -> bytes:  # fmt: skip
    """A TCP segment with the mark as its data; a SYN unless told otherwise, its number in sequence the probe's."""
    segment = _tcp_segment(source, destination, port, number, flags, source_port, seq, ack)
    return ip(source, destination, TCP, segment, number, **header)  # type: ignore[arg-type]


def _tcp_segment(
    source: IPv4Address, destination: IPv4Address, port: int, number: int, flags: int, source_port: int | None,
    seq: int | None = None, ack: int = 0,
) -> bytes:  # fmt: skip
    head = dpkt.tcp.TCP(
        sport=port_of(number) if source_port is None else source_port,
        dport=port, seq=number if seq is None else seq, ack=ack, flags=flags, win=8192, data=mark(number),
    )  # fmt: skip
    return _with_checksum(source, destination, TCP, bytes(head), 16)


def udp(
    source: IPv4Address, destination: IPv4Address, port: int, number: int, data: bytes | None = None,
    source_port: int | None = None, **header: int | bytes,
) -> bytes:  # fmt: skip
    """A UDP datagram with the mark as its data, or with data of its own."""
    content = mark(number) if data is None else data
    own = port_of(number) if source_port is None else source_port
    datagram = struct.pack("!HHHH", own, port, 8 + len(content), 0) + content
    whole = _with_checksum(source, destination, UDP, datagram, 6)
    return ip(source, destination, UDP, whole, number, **header)  # type: ignore[arg-type]


def _with_checksum(source: IPv4Address, destination: IPv4Address, protocol: int, segment: bytes, at: int) -> bytes:
    pseudo = source.packed + destination.packed + struct.pack("!BBH", 0, protocol, len(segment))
    total = dpkt.dpkt.in_cksum(pseudo + segment[:at] + b"\0\0" + segment[at + 2 :])
    return segment[:at] + struct.pack("!H", total) + segment[at + 2 :]


def icmp(source: IPv4Address, destination: IPv4Address, kind: int, code: int, number: int, rest: bytes = b"") -> bytes:
    """An ICMP message. ``rest`` follows the header's second word; for an error it is the packet complained of."""
    body = struct.pack("!BBHHH", kind, code, 0, number, 1) + rest + mark(number)
    message = body[:2] + struct.pack("!H", dpkt.dpkt.in_cksum(body)) + body[4:]
    return ip(source, destination, ICMP, message, number)


def raw(source: IPv4Address, destination: IPv4Address, protocol: int, number: int, head: bytes = b"") -> bytes:
    """A packet of any protocol: ``head``, then the mark."""
    return ip(source, destination, protocol, head + mark(number), number)


def never_whole(number: int) -> int:
    """An IP identification for pieces that are never put together: who received them keeps them for half a minute, and
    takes what comes with the same one, from a later run, to be of them. No probe has such a number."""
    return 0xFFFF - number % 1024


def fragments(
    source: IPv4Address, destination: IPv4Address, port: int, number: int, sizes: tuple[int, ...], known_by: int
) -> list[bytes]:
    """A TCP SYN in pieces of so many bytes of payload, the last taking what is left; whole multiples of 8.
    ``known_by``: their IP identification."""
    segment = _tcp_segment(source, destination, port, number, dpkt.tcp.TH_SYN, None)
    pieces, offset = [], 0
    for size in (*sizes, len(segment)):
        piece = segment[offset : offset + size]
        if piece:
            more = offset + size < len(segment)
            pieces.append(ip(source, destination, TCP, piece, known_by, offset=offset, more=more))
        offset += size
    return pieces


KINDS: dict[str, Callable[[IPv4Address, IPv4Address, int], bytes]] = {
    "TCP": lambda source, to, number: tcp(source, to, NOBODYS_PORT, number, source_port=HTTPS),
    "UDP": lambda source, to, number: udp(source, to, NOBODYS_PORT, number),
    "ICMP echo": lambda source, to, number: icmp(source, to, 8, 0, number),
    "ICMP unreachable": lambda source, to, number: icmp(source, to, 3, 1, number, bytes(28)),
    "ESP": lambda source, to, number: raw(source, to, ESP, number, bytes(8)),
    "GRE": lambda source, to, number: raw(source, to, GRE, number, bytes(4)),
    "IP in IP": lambda source, to, number: raw(source, to, IPIP, number),
}
"""One packet of each kind, from a source, to somebody, with a probe's number."""


ICMP_ERRORS = (3, 11, 12)
"""Destination unreachable, time exceeded, parameter problem."""


def number_in(packet: bytes) -> int | None:
    """The number of the probe that a packet belongs to; None for one that is no probe's."""
    at = packet.find(MARK)
    if at < 0 or len(packet) < at + len(MARK) + 4:
        return None
    return int(struct.unpack_from("!I", packet, at + len(MARK))[0])


def answers(packet: bytes) -> int | None:
    """The number of the probe that an IPv4 packet answers, by the port or identifier that it is sent to; of an ICMP
    error, by those of the packet that it quotes (RFC 792)."""
    if len(packet) < 28 or packet[0] >> 4 != 4:
        return None
    protocol, body = packet[9], packet[(packet[0] & 15) * 4 :]
    if protocol == ICMP and len(body) >= 8 + 28 and body[0] in ICMP_ERRORS:
        return _asked_in(body[8:])
    if protocol in (TCP, UDP) and len(body) >= 4:
        port = int(struct.unpack_from("!H", body, 2)[0])
        return port - FIRST_PORT if port >= FIRST_PORT else None
    if protocol == ICMP and len(body) >= 8 and body[0] == 0:
        return int(struct.unpack_from("!H", body, 4)[0])
    return None


def _asked_in(packet: bytes) -> int | None:
    """The number of the probe that a quoted packet is, by the port or identifier that it was sent from."""
    protocol, body = packet[9], packet[(packet[0] & 15) * 4 :]
    if protocol in (TCP, UDP) and len(body) >= 4:
        port = int(struct.unpack_from("!H", body)[0])
        return port - FIRST_PORT if port >= FIRST_PORT else None
    if protocol == ICMP and len(body) >= 8 and body[0] == 8:
        return int(struct.unpack_from("!H", body, 4)[0])
    return None


def sound(packet: bytes) -> bool:
    """Whether a TCP or UDP packet without IP options has the right sum."""
    segment = packet[20:]
    pseudo = packet[12:20] + struct.pack("!BBH", 0, packet[9], len(segment))
    return bool(dpkt.dpkt.in_cksum(pseudo + segment) == 0)


def reset_of(answer: bytes) -> bytes | None:
    """The RST that ends what a SYN ACK has begun; None for another packet. Who asked has no socket to send it."""
    head = dpkt.ip.IP(answer)
    segment = head.data
    if not isinstance(segment, dpkt.tcp.TCP) or segment.flags & 0x3F != dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK:
        return None
    end = dpkt.tcp.TCP(sport=segment.dport, dport=segment.sport, seq=segment.ack, flags=dpkt.tcp.TH_RST)
    caller, server = IPv4Address(head.dst), IPv4Address(head.src)
    return ip(caller, server, TCP, _with_checksum(caller, server, TCP, bytes(end), 16), 0)


def answers_from(answer: bytes, probe: bytes) -> bool:
    """Whether an answer comes from whom the probe was sent to."""
    return answer[12:16] == probe[16:20]
