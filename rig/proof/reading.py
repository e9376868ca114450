"""What a packet on a line is to a gateway: the header that its rules are asked about."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address

from rig.proof.header import ICMP, TCP, WITH_PORTS, Header
from rig.proof.tracking import state_alone


def header_of(packets: Sequence[bytes], coming: str, going: str) -> Header:
    """The header of a whole IPv4 packet, or of the pieces of one (RFC 791), that belongs to no flow. ``coming``,
    ``going``: the gateway's interfaces."""
    first = min(packets, key=_offset)
    length = (first[0] & 15) * 4
    protocol, payload = first[9], b"".join(piece[(piece[0] & 15) * 4 :] for piece in sorted(packets, key=_offset))
    from_port = to_port = flags = 0
    if protocol in WITH_PORTS and len(payload) >= 4:
        from_port, to_port = struct.unpack_from("!HH", payload)
    if protocol == ICMP and len(payload) >= 2:
        to_port = payload[0] << 8 | payload[1]
    if protocol == TCP and len(payload) >= 14:
        flags = payload[13] & 0x3F
    state = state_alone(protocol, flags, to_port >> 8)
    source, destination = IPv4Address(first[12:16]), IPv4Address(first[16:20])
    return Header(coming, going, source, destination, protocol, from_port, to_port, flags, state, length > 20)


def _offset(piece: bytes) -> int:
    return int(struct.unpack_from("!H", piece, 6)[0]) & 0x1FFF
