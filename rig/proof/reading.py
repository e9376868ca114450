"""What a packet on a line is to a gateway: the header that its rules are asked about."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from rig.proof.header import ICMP, TCP, WITH_PORTS, Header
from rig.proof.tracking import state_alone


def header_of(packet: bytes, coming: str, going: str) -> Header:
    """The header of a whole IPv4 packet (RFC 791) that belongs to no flow. ``coming``, ``going``: the gateway's
    interfaces."""
    length = (packet[0] & 15) * 4
    protocol, payload = packet[9], packet[length:]
    from_port = to_port = flags = 0
    if protocol in WITH_PORTS and len(payload) >= 4:
        from_port, to_port = struct.unpack_from("!HH", payload)
    if protocol == ICMP and len(payload) >= 2:
        to_port = payload[0] << 8 | payload[1]
    if protocol == TCP and len(payload) >= 14:
        flags = payload[13] & 0x3F
    state = state_alone(protocol, flags, to_port >> 8)
    source, destination = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    return Header(coming, going, source, destination, protocol, from_port, to_port, flags, state, length > 20)
