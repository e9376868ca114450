"""A VPN on a ladder: IKE's messages, and of ESP each security association's first packet, and all that it carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rig.drivers.ipsec.isakmp import EspHead, in_ip
from rig.drivers.net.packet_socket import Packet
from rig.drivers.ppp.line_record import Frame
from rig.report.ladder import Rung
from rig.run.capture import LINKTYPE_ETHERNET, Wire

GATEWAY = "VPN gateway"
ETHERNET_HEAD = 14
IP = 0x0021
HEADS = 28
"""Bytes of IP's and UDP's heads, which differ where a message is sent again."""


def rungs(wires: Iterable[Wire], began: float) -> Iterator[Rung]:
    """Of the first wire that has any. ``began``: the trace's beginning, in seconds since 1970."""
    yield from next((found for wire in wires if (found := list(_of(wire, began)))), [])


@dataclass
class _Association:
    """ESP of one direction, as it comes."""

    first: Packet
    packets: int = 0
    octets: int = 0


def _of(wire: Wire, began: float) -> Iterator[Rung]:
    associations: dict[int, _Association] = {}
    asked: dict[tuple[bool, str, int], float] = {}
    seen: set[bytes] = set()
    for packet in wire.packets:
        body = _ip_in(wire, packet)
        found = in_ip(body)
        if isinstance(found, EspHead):
            one = associations.setdefault(found.spi, _Association(packet))
            one.packets += 1
            one.octets += len(packet.data)
        elif found is not None:
            again = body[HEADS:] in seen
            seen.add(body[HEADS:])
            key = found.exchange, found.number
            after = packet.time - asked[not packet.outgoing, *key] if (not packet.outgoing, *key) in asked else None
            asked[packet.outgoing, *key] = packet.time
            text = found.exchange + (", encrypted" if found.encrypted else "") + (", sent again" if again else "")
            yield Rung(packet.time - began, *_ends(wire, packet), "IKE", text, found.payloads, after)
    for spi, one in associations.items():
        what = (f"{one.packets} packets", f"{one.octets} bytes on the way")
        yield Rung(one.first.time - began, *_ends(wire, one.first), "ESP", f"first of SPI {spi:08x}", what)


def _ends(wire: Wire, packet: Packet) -> tuple[str, str]:
    return (wire.end, GATEWAY) if packet.outgoing else (GATEWAY, wire.end)


def _ip_in(wire: Wire, packet: Packet) -> bytes:
    """The IP packet, without the link's own head; nothing where it is something else."""
    if wire.linktype == LINKTYPE_ETHERNET:
        return packet.data[ETHERNET_HEAD:]
    frame = Frame(packet.time, packet.outgoing, packet.data[1:])
    return frame.payload if frame.protocol == IP else b""
