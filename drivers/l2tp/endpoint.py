"""Many tunnels behind one address: which datagram is for which, and who may have one at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.channel import CYCLE
from rig.drivers.l2tp.control import Identity, TunnelState
from rig.drivers.l2tp.events import Event
from rig.drivers.l2tp.header import MalformedError, is_control, unpack
from rig.drivers.l2tp.messages import Kind, Message
from rig.drivers.l2tp.results import StopResult
from rig.drivers.l2tp.tunnel import Tunnel

MOST_TUNNELS = 4096
"""Beyond this a request for another is passed over: datagrams with false sources must not fill the memory."""
MOST_UNPROVEN = 256
"""The same for those that have not got beyond their first message."""


@dataclass(frozen=True)
class Told:
    """An event, and whose tunnel it is of."""

    tunnel: Tunnel
    event: Event


class Endpoint:
    """All the tunnels of one end. ``allowed``: whether a peer may ask for one; peers are whatever names them, such as
    an address and a port."""

    def __init__(self, identity: Identity, allowed: Callable[[Hashable], bool] = lambda peer: True) -> None:
        self.identity = identity
        self.tunnels: dict[int, Tunnel] = {}
        self._allowed = allowed
        self._peers: dict[int, Hashable] = {}
        self._asked_for: dict[tuple[Hashable, int], int] = {}
        self._leaving: dict[int, tuple[Tunnel, float]] = {}

    def connect(self, peer: Hashable, now: float) -> Tunnel:
        """Ask a peer for a tunnel."""
        tunnel = self._new(peer, now)
        tunnel.connect(now)
        return tunnel

    def peer_of(self, tunnel: Tunnel) -> Hashable:
        """Whose the other end of a tunnel is."""
        return self._peers[tunnel.own]

    def receive(self, datagram: bytes, peer: Hashable, now: float) -> None:
        """A datagram from a peer. What is no control message, or for no tunnel of that peer's, is passed over."""
        if not is_control(datagram):
            return  # data for a session that the kernel no longer has
        try:
            header, body = unpack(datagram)
        except MalformedError:
            return
        tunnel = self.tunnels.get(header.tunnel) or self._leaving_at(header.tunnel, now)
        if header.tunnel == 0 and header.ns == 0:
            tunnel = self._for_request(body, peer, now)
        if tunnel is not None and self._peers[tunnel.own] == peer:
            tunnel.receive(header, body, now)

    def _for_request(self, body: bytes, peer: Hashable, now: float) -> Tunnel | None:
        """The tunnel that an SCCRQ is for: a new one, or that of the same request which came before (§5.8)."""
        try:
            message = messages.decode_message(body, self.identity.secret)
        except MalformedError:
            return None
        if message is None or message.kind is not Kind.SCCRQ:
            return None
        key = peer, message.number(Attribute.ASSIGNED_TUNNEL_ID)
        if key in self._asked_for:
            return self.tunnels.get(self._asked_for[key])
        unproven = sum(one.state is TunnelState.WAIT_CONNECT for one in self.tunnels.values())
        if len(self.tunnels) >= MOST_TUNNELS or unproven >= MOST_UNPROVEN or not self._goes_before_ours(message, peer):
            return None
        tunnel = self._new(peer, now)
        self._asked_for[key] = tunnel.own
        if not self._allowed(peer):
            tunnel.channel.peer = key[1]
            tunnel.close(StopResult.NOT_AUTHORIZED, now)
        return tunnel

    def _goes_before_ours(self, message: Message, peer: Hashable) -> bool:
        """Both ask each other at once: the lower tie breaker goes before, and of equal ones neither (§4.4.3)."""
        theirs = message.octets(Attribute.TIE_BREAKER)
        for tunnel in list(self.tunnels.values()):
            if tunnel.state is not TunnelState.WAIT_REPLY or self._peers[tunnel.own] != peer or not theirs:
                continue
            if theirs <= tunnel.tie_breaker:
                tunnel.give_way()
            if theirs >= tunnel.tie_breaker:
                return False
        return True

    def _new(self, peer: Hashable, now: float) -> Tunnel:
        while (own := secrets.randbelow(0xFFFF) + 1) in self.tunnels or own in self._leaving:
            pass
        tunnel = self.tunnels[own] = Tunnel(own, self.identity, now)
        self._peers[own] = peer
        return tunnel

    def tick(self, now: float) -> None:
        """Let every tunnel do what is due, and forget those that are done."""
        for tunnel in list(self.tunnels.values()):
            tunnel.tick(now)
            if tunnel.closed and not tunnel.events and not tunnel.channel.out:
                del self.tunnels[tunnel.own]
                self._asked_for = {key: own for key, own in self._asked_for.items() if own != tunnel.own}
                if tunnel.ended_by_peer:
                    self._leaving[tunnel.own] = tunnel, now + CYCLE
                else:
                    del self._peers[tunnel.own]
        # As they came, so they go: each stays as long as the others.
        while self._leaving and (len(self._leaving) > MOST_TUNNELS or next(iter(self._leaving.values()))[1] <= now):
            own = next(iter(self._leaving))
            del self._leaving[own], self._peers[own]

    def _leaving_at(self, own: int, now: float) -> Tunnel | None:
        """One that its peer has ended: should the peer not have heard that we know, it is told again (§5.7)."""
        tunnel, until = self._leaving.get(own, (None, now))
        return tunnel if until > now else None

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called; None when nothing waits."""
        due = (tunnel.deadline for tunnel in self.tunnels.values())
        return min((each for each in due if each is not None), default=None)

    def take_outgoing(self) -> list[tuple[bytes, Tunnel]]:
        """The datagrams to send, and over which tunnel."""
        found: list[tuple[bytes, Tunnel]] = []
        for tunnel in (*self.tunnels.values(), *(tunnel for tunnel, _ in self._leaving.values())):
            sending, tunnel.channel.out = tunnel.channel.out, []
            found += [(datagram, tunnel) for datagram in sending]
        return found

    def end_others(self, tunnel: Tunnel, now: float) -> None:
        """A peer that asks anew has been started anew: what it had before is no more, and is not waited for."""
        for other in self.tunnels.values():
            if other is not tunnel and self._peers[other.own] == self._peers[tunnel.own]:
                other.close(StopResult.CLEARED, now)
                other.channel.gone = True

    def take_events(self) -> list[Told]:
        """What has happened since this was last asked."""
        found: list[Told] = []
        for tunnel in self.tunnels.values():
            told, tunnel.events = tunnel.events, []
            found += [Told(tunnel, event) for event in told]
        return found
