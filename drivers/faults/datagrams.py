"""Control messages in datagrams, as Ethernet frames carry them: L2TP (RFC 2661 §8.1: UDP 1701) and IKE (UDP 500, and
4500 with four zero octets before it, RFC 3948 §2.2)."""

from __future__ import annotations

import struct

from rig.drivers.faults.switchboard import spoiled
from rig.drivers.ipsec import isakmp
from rig.drivers.l2tp import messages as l2tp
from rig.drivers.l2tp.header import MalformedError, is_control, unpack
from rig.drivers.l2tp.kernel import PORT as L2TP_PORT

ETHERNET = 14
IPV4 = b"\x08\x00"
UDP, UDP_HEAD = 17, 8
FRAGMENT = 0x3FFF
"""More fragments, or not the first."""


def name_in(frame: bytes) -> str | None:
    """What the message in an Ethernet frame is called; None where there is none, or not a whole one."""
    at = _payload_at(frame)
    if at is None:
        return None
    ports = struct.unpack_from("!HH", frame, at - UDP_HEAD)
    payload = frame[at:]
    if L2TP_PORT in ports:
        return l2tp_name(payload)
    found = isakmp.in_udp(payload, ports)
    return found.name if isinstance(found, isakmp.IkeMessage) else None


def corrupted(frame: bytes) -> bytes:
    """Its last octet is another, and UDP has no sum (RFC 768: a zero says so)."""
    at = _payload_at(frame)
    assert at is not None, "only what has a name is spoiled"
    length = int.from_bytes(frame[at - 4 : at - 2], "big")
    end = at - UDP_HEAD + length  # what is behind that is Ethernet's padding
    return frame[: at - 2] + bytes(2) + spoiled(frame[at:end]) + frame[end:]


def _payload_at(frame: bytes) -> int | None:
    """Where a datagram's own octets begin."""
    if len(frame) < ETHERNET + 20 or frame[12:14] != IPV4 or frame[ETHERNET + 9] != UDP:
        return None
    if int.from_bytes(frame[ETHERNET + 6 : ETHERNET + 8], "big") & FRAGMENT:
        return None
    at = ETHERNET + 4 * (frame[ETHERNET] & 15) + UDP_HEAD
    if len(frame) <= at:
        return None
    length = int.from_bytes(frame[at - 4 : at - 2], "big")
    return at if UDP_HEAD < length <= len(frame) - at + UDP_HEAD else None


def l2tp_name(payload: bytes) -> str | None:
    """What a datagram of L2TP's is called; None for data, and for what is none."""
    try:
        return l2tp.name_of(unpack(payload)[1]) if is_control(payload) else None
    except MalformedError:
        return None
