"""What is lost while a VPN gets new keys: packets with numbers, fifty a second, through it all."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.drivers.base.interruptions import waiting
from rig.paths.up import Up
from rig.paths.vpn_building import BuiltVpn
from rig.probes import observer, packets
from rig.probes.engine import Sender
from rig.probes.probe import Expected, Probe, Side

EVERY_SECONDS = 0.02
LAST_SECONDS, LAST_TRIES = 0.5, 20
"""The last packet is sent again until it has come: what was sent before it has come then, or is lost."""


@dataclass(frozen=True)
class Lost:
    """Of so many ``sent``: the ``gaps``, each as the number of packets in a row that never came."""

    sent: int
    gaps: tuple[int, ...]


def lost_meanwhile(one: BuiltVpn, up: Up, server: IPv4Address, seconds: float) -> Lost:
    """Send for so many seconds; the VPN must not end meanwhile."""
    towards = one.service.gateway.fence.towards(up.source)
    with (
        closing(observer.arriving(towards.namespace, towards.interface)) as there,
        closing(Sender(one.places(up).own)) as sender,
    ):

        def send(number: int) -> None:
            packet = packets.udp(up.source, server, 9, number)
            sender.send(Probe(number, "", "", Side.CALLER, Expected.DENIED, (packet,)))

        sent, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            sent += 1
            send(sent)
            with waiting():
                assert not one.path.ends_within(EVERY_SECONDS)
        last = sent + 1
        for _ in range(LAST_TRIES):
            send(last)
            if there.wait_for(lambda packet: packets.number_in(packet) == last, LAST_SECONDS):
                break
        else:
            raise AssertionError("nothing comes through any more")
        arrived = {packets.number_in(packet) for packet in there.packets}
    return Lost(sent, tuple(_gaps([number in arrived for number in range(1, last + 1)])))


def _gaps(came: list[bool]) -> list[int]:
    gaps, length = [], 0
    for one in came:
        if one and length:
            gaps.append(length)
        length = 0 if one else length + 1
    return gaps
