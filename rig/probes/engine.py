"""Sends probes through a fence and says what became of each.

Everything goes straight onto the link, past the sender's own routes and filters, so that it is the gateway that is
probed and nothing before it. "Dropped" is never read off a silence where the far side can be watched: a probe did
not arrive when what was sent after it did.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address

from drivers.errors import RigError
from drivers.namespace import NetworkNamespace
from rig.fence import HTTPS
from rig.probes import packets
from rig.probes.observer import Observer
from rig.probes.probe import Expected, Outcome, Probe, Seen

ETHER_TYPES = {4: 0x0800, 6: 0x86DD}
FOLLOWER_SECONDS = 20.0
"""How long the packet that is sent last may take: a minute's worth of line at 2,400 bit/s is not waited for."""
ANSWER_SECONDS = 1.0
"""How long an answer to a probe may take once the last packet was seen to arrive."""
ROOM_SECONDS = 30.0


class ProbeError(RigError):
    """The probes could not be sent, or what should arrive behind them did not: nothing is known then."""

    outcome = "PROBES INCONCLUSIVE"


@dataclass(frozen=True)
class End:
    """A link that probes are put on: its namespace and interface, and the Ethernet address of its other end."""

    namespace: NetworkNamespace
    interface: str
    other: bytes = b""


class Sender:
    """Puts whole IP packets on a link. One that has no room is waited for: a packet lost here would look dropped."""

    def __init__(self, end: End) -> None:
        self._end = end
        with end.namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)

    def send(self, probe: Probe) -> None:
        """Send a probe's packets, in their order."""
        kind = ETHER_TYPES[probe.version]
        address: tuple[object, ...] = (self._end.interface, kind)
        if self._end.other:
            address += (0, 0, self._end.other)
        for packet in probe.packets:
            self._put(packet, address)

    def _put(self, packet: bytes, address: tuple[object, ...]) -> None:
        while True:
            try:
                self._socket.sendto(packet, address)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise ProbeError(f"{self._end.interface}: {error.strerror}") from error
                select.select([], [], [], 0.005)  # the queue of a PPP interface is three packets, and tells no one
            else:
                return

    def close(self) -> None:
        self._socket.close()


def probe_outward(
    probes: Iterable[Probe], caller: End, far: End | None, follow: Callable[[], bool], server: IPv4Address
) -> list[Outcome]:
    """Send what the caller may and may not send. ``far``: where arrivals are seen, None where nobody can look.

    ``follow`` makes a good connection to ``server`` behind the probes, over the same line; whether it came about.
    """
    todo = list(probes)
    with contextlib.ExitStack() as open_sockets:
        near = open_sockets.enter_context(closing(Observer(caller.namespace, caller.interface)))
        watchers = [open_sockets.enter_context(closing(Observer(far.namespace, far.interface)))] if far else []
        sender = open_sockets.enter_context(closing(Sender(caller)))
        for probe in todo:
            sender.send(probe)
            for observer in (near, *watchers):
                observer.collect()
        if not follow():
            raise ProbeError(f"the connection to {server}:{HTTPS} that should follow the probes did not come about")
        wanted = {probe.number for probe in todo if probe.expected is Expected.ALLOWED}
        near.wait_for(lambda _: wanted <= set(map(packets.answers, near.packets)), ANSWER_SECONDS)
        for watcher in watchers:
            watcher.collect()
        arrived = _by_number([packet for watcher in watchers for packet in watcher.packets], packets.number_in)
        answered = _by_number(near.packets, packets.answers)
    return [_outcome(probe, arrived, answered) for probe in todo]


def probe_inward(
    probes: Iterable[Probe], far: End, caller: End, follow: Callable[[], bool], server: IPv4Address
) -> list[Outcome]:
    """Send to the caller what it has not asked for; seen at its own end of the line."""
    todo = list(probes)
    with closing(Observer(caller.namespace, caller.interface)) as near, closing(Sender(far)) as sender:
        for probe in todo:
            sender.send(probe)
            near.collect()
        if not follow():
            raise ProbeError(f"the connection to {server}:{HTTPS} that should follow the probes did not come about")
        near.collect()
        arrived = _by_number(near.packets, packets.number_in)
    return [_outcome(probe, arrived, {}) for probe in todo]


def _by_number(seen: Iterable[bytes], number_of: Callable[[bytes], int | None]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for packet in seen:
        number = number_of(packet)
        if number is not None:
            found.setdefault(number, packet)
    return found


def _outcome(probe: Probe, arrived: dict[int, bytes], answered: dict[int, bytes]) -> Outcome:
    if probe.number in arrived:
        return Outcome(probe, Seen.ARRIVED, arrived[probe.number])
    if probe.number in answered and packets.answers_from(answered[probe.number], probe.packets[0]):
        return Outcome(probe, Seen.ANSWERED, answered[probe.number])
    return Outcome(probe, Seen.NOTHING)
