"""A peer with a way of its own: a sound one, and what its manner makes of what it hears and says. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rig.drivers.ppp.misbehaving.roles import Role
from rig.drivers.ppp.peer.packet import Packet

Says = Callable[["Peer", Packet], Iterable[Packet]]
Hears = Callable[["Peer", Packet], bool]


@dataclass(frozen=True)
class Manner:
    """A way to misbehave, by its ``name``; ``what`` it does, in words.

    ``begins``: done first; ``says``: what goes out in place of a packet; ``hears``: whether one that comes is taken;
    ``writes``: what becomes of the bytes that go out; ``echoes``: and of those that come, where the line itself sends
    them back; ``each``: what is done so many seconds apart (``every``), from when LCP is open, or with ``at_once`` from
    the beginning.
    """

    name: str
    what: str
    begins: Callable[[Peer], None] | None = None
    says: Says | None = None
    hears: Hears | None = None
    writes: Callable[[Peer, bytes], bytes] | None = None
    echoes: Callable[[bytes], bytes] | None = None
    each: Callable[[Peer, float], None] | None = None
    every: float = 1.0
    at_once: bool = False


class Peer:
    """``hung_up``: it has let the line go. ``count``: how often its manner has done what it does, for it to count;
    ``junk``: bytes that are no packets of the peer's own, to be sent before those that are."""

    def __init__(self, role: Role, manner: Manner) -> None:
        self.role = role
        self.hung_up = False
        self.count = 0
        self.junk = bytearray()
        self._manner = manner
        self._due: float | None = None
        if (hears := manner.hears) is not None:
            role.endpoint.hears = lambda packet: hears(self, packet)

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called."""
        due = [self.role.endpoint.deadline, self.role.deadline, self._due]
        return min((each for each in due if each is not None), default=None)

    def begin(self, now: float) -> None:
        """The line is there."""
        if self._manner.begins is not None:
            self._manner.begins(self)
        self.role.begin(now)
        if self._manner.each is not None and self._manner.at_once:
            self._due = now

    def receive(self, data: bytes, now: float) -> None:
        if self._manner.echoes is not None:
            self.junk += self._manner.echoes(data)
        else:
            self.role.endpoint.receive(data, now)
        self.tick(now)

    def tick(self, now: float) -> None:
        self.role.endpoint.tick(now)
        self.role.tick(now)
        if self._manner.each is None:
            return
        if self._due is None and self.role.open:
            self._due = now + self._manner.every
        while self._due is not None and now >= self._due and not self.hung_up:
            self._due = max(self._due, now - 1) + self._manner.every  # after a stall no more than a second's worth
            self._manner.each(self, now)

    def send(self) -> bytes:
        """What is to go to the line."""
        junk, self.junk = bytes(self.junk), bytearray()
        endpoint = self.role.endpoint
        packets, endpoint.lcp.out = endpoint.lcp.out, []
        if (says := self._manner.says) is not None:
            packets = [other for packet in packets for other in says(self, packet)]
        data = junk + b"".join(endpoint.framed(packet) for packet in packets)
        return self._manner.writes(self, data) if self._manner.writes is not None and data else data
