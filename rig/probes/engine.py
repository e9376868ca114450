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
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from rig.drivers.base.interruptions import waiting
from rig.drivers.net.link_end import LinkEnd
from rig.probes import observer, packets
from rig.probes.observer import Watcher
from rig.probes.probe import Expected, Outcome, Probe, ProbeError, Seen

ETHER_TYPES = {4: 0x0800, 6: 0x86DD}
NOT_BOUND = (errno.ENXIO, errno.ENODEV, errno.ENETDOWN)
"""What sending says before a socket is bound, and when its interface has gone (packet(7))."""
ANSWER_SECONDS = 1.0
"""How long an answer to a probe may take once the last packet was seen to arrive."""

COLLECTED = 16
"""Probes between two looks at what has arrived: a look costs as much as a probe, and a socket holds thousands."""

ROOM_SECONDS = 60.0
"""How long a link may have no room: at 300 bit/s a packet of 1,500 bytes takes 50 s."""

Sent = Callable[[], None]
"""Told of each probe that has been sent."""
Follow = Callable[[], str | None]
"""Sends something good behind the probes, over the same lines: None when it came about, otherwise what did not."""


class Sender:
    """Puts whole IP packets on a link. One that has no room is waited for: a packet lost here would look dropped.

    Bound to the interface: to look it up by its name takes as long as to send a packet. One that has gone and come
    back is bound to anew.
    """

    def __init__(self, end: LinkEnd) -> None:
        self._end = end
        kind = socket.SOCK_RAW if end.other else socket.SOCK_DGRAM
        with end.namespace.entered():
            self._sockets = {version: socket.socket(socket.AF_PACKET, kind, 0) for version in ETHER_TYPES}
        self._headers = dict.fromkeys(ETHER_TYPES, b"")

    def send(self, probe: Probe) -> None:
        """Send a probe's packets, in their order."""
        for packet in probe.packets:
            self.put(packet)

    def put(self, packet: bytes) -> None:
        """Send one packet. Raises ProbeError when the link takes none."""
        version = packet[0] >> 4
        end = time.monotonic() + ROOM_SECONDS
        while True:
            try:
                self._put(version, packet)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise ProbeError(f"{self._end.interface}: {error.strerror}") from error
                if time.monotonic() > end:
                    raise ProbeError(f"{self._end.interface} has taken nothing for {ROOM_SECONDS:g} s") from error
                with waiting():
                    select.select([], [], [], 0.005)  # the queue of a PPP interface is short, and tells no one
            else:
                return

    def _put(self, version: int, packet: bytes) -> None:
        try:
            self._sockets[version].send(self._headers[version] + packet)
        except OSError as error:
            if error.errno not in NOT_BOUND:
                raise
            self._bind(version)
            self._sockets[version].send(self._headers[version] + packet)

    def _bind(self, version: int) -> None:
        bound = self._sockets[version]
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # nobody reads what it hears
        bound.bind((self._end.interface, ETHER_TYPES[version]))
        if self._end.other:
            own = bound.getsockname()[4]
            self._headers[version] = self._end.other + own + ETHER_TYPES[version].to_bytes(2, "big")

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()


def probe_outward(
    probes: Sequence[Probe], caller: LinkEnd, watched: Sequence[LinkEnd], follow: Follow, sent: Sent
) -> list[Outcome]:
    """Send what the caller may and may not send. ``watched``: where arrivals are seen; none where nobody can look."""
    with contextlib.ExitStack() as open_sockets:
        near = open_sockets.enter_context(closing(observer.arriving(caller.namespace, caller.interface)))
        watchers = [
            open_sockets.enter_context(closing(observer.arriving(end.namespace, end.interface))) for end in watched
        ]
        _send_all(probes, caller, (near, *watchers), follow, sent)
        wanted = {probe.number for probe in probes if probe.expected is Expected.ALLOWED}
        near.wait_for(lambda _: wanted <= set(map(packets.answers, near.packets)), ANSWER_SECONDS)
        arrived = _arrivals(watchers)
        answered = _by_number(near.packets, packets.answers)
        _end_half_open(caller, answered.values())
    return [_outcome(probe, arrived, answered, watched=bool(watched)) for probe in probes]


def probe_inward(
    probes: Sequence[Probe], sender: LinkEnd, watchers: Sequence[Watcher], follow: Follow, sent: Sent
) -> list[Outcome]:
    """Send to the caller what it has not asked for; ``watchers``, at its end of the line, are left open."""
    _send_all(probes, sender, watchers, follow, sent)
    arrived = _arrivals(watchers)
    return [_outcome(probe, arrived, {}, watched=True) for probe in probes]


def _send_all(probes: Sequence[Probe], end: LinkEnd, watchers: Sequence[Watcher], follow: Follow, sent: Sent) -> None:
    """Send them, and behind them what must arrive. Raises ProbeError when that does not."""
    with closing(Sender(end)) as sender, closing(observer.leaving(end.namespace, end.interface)) as leaving:
        for index, probe in enumerate(probes):
            sender.send(probe)
            sent()
            if index % COLLECTED == 0:
                for watcher in (*watchers, leaving):
                    watcher.collect()
        _follow_and_count(probes, end, leaving, follow)


def _follow_and_count(probes: Sequence[Probe], end: LinkEnd, leaving: Watcher, follow: Follow) -> None:
    """Something good behind them; and that each was seen leaving, or it would seem to have been denied."""
    missed = follow()
    leaving.collect()
    left = set(leaving.packets)
    if kept := [probe for probe in probes if not left.issuperset(probe.packets)]:
        raise ProbeError(
            f"{len(kept)} of {len(probes)} probes never left {end.interface}, {kept[0].what} among them",
            "its queue has dropped them: tc qdisc show; a plain fifo drops nothing that it has taken",
        )
    if missed is not None:
        raise ProbeError(f"{missed}, which should follow the probes, did not come about")


def _end_half_open(caller: LinkEnd, answers: Iterable[bytes]) -> None:
    """A server that answered a SYN waits for the rest, and answers the same SYN no more for half a second."""
    with closing(Sender(caller)) as sender:
        for answer in answers:
            if (reset := packets.reset_of(answer)) is not None:
                sender.put(reset)


def _arrivals(watchers: Sequence[Watcher]) -> dict[int, bytes]:
    for watcher in watchers:
        watcher.collect()
    return _by_number([packet for watcher in watchers for packet in watcher.packets], packets.number_in)


def _by_number(seen: Iterable[bytes], number_of: Callable[[bytes], int | None]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for packet in seen:
        number = number_of(packet)
        if number is not None:
            found.setdefault(number, packet)
    return found


def _outcome(probe: Probe, arrived: dict[int, bytes], answered: dict[int, bytes], *, watched: bool) -> Outcome:
    if probe.number in arrived:
        return Outcome(probe, Seen.ARRIVED, arrived[probe.number])
    if probe.number in answered:
        answer = answered[probe.number]
        theirs = packets.answers_from(
            answer, probe.packets[0]
        )  # a reset or an ICMP of the server's own came from there
        return Outcome(probe, Seen.ANSWERED if theirs else Seen.REFUSED, answer)
    return Outcome(probe, Seen.NOTHING if watched else Seen.SILENCE)
