"""What a fence declares, as sets of headers: made of the fence file and the sessions, never of the rules.

What belongs to a flow passes as what began it did: a packet is ESTABLISHED only when a first one has passed, and every
first one is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from rig.config.destinations import DNS, HTTPS, Destinations
from rig.config.fenced_side import FencedSide
from rig.proof.header import ITSELF, TCP, UDP, Field, State
from rig.proof.space import Set, Space
from rig.proof.tracking import alone, tracked

CALLERS = "ppp+"
NUMBERS = {"tcp": TCP, "udp": UDP, "esp": 50}


@dataclass(frozen=True)
class Around:
    """What a proof is about. ``callers``: who is there; ``pattern``: the interfaces of who else may come; ``pool``:
    their addresses, None where nobody has said; ``own``: the gateway's, none where nobody has."""

    allowed: Destinations
    callers: tuple[FencedSide, ...]
    pattern: str = CALLERS
    pool: IPv4Network | None = None
    own: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True)
class Way:
    """One thing that must pass: its name, and all of its headers."""

    name: str
    headers: Set


@dataclass(frozen=True)
class Declared:
    """``asked``: the headers that the fence is about, and that can be; ``may``: those of them that may pass; ``must``:
    what has to, way by way."""

    asked: Set
    may: Set
    must: tuple[Way, ...]


def declared(space: Space, around: Around) -> Declared:
    """See :class:`Declared`. Over IPv6 nothing is: a fence is a list of IPv4 addresses."""
    sets = _Sets(space, around)
    if space.version == 6:
        return Declared(sets.concerned(), space.nothing, ())
    may = space.one_of([*map(sets.outward, around.callers), *map(sets.inward, around.callers)])
    whole = space.exactly(Field.FRAGMENT, 0)  # of what a later piece belongs to, no filter without memory knows
    return Declared(sets.asked(), may & whole, tuple(sets.ways()))


class _Sets:
    def __init__(self, space: Space, around: Around) -> None:
        self._space = space
        self._around = around
        self._in_caller, self._out_caller = (_of_callers(space, around, field) for field in (Field.IN, Field.OUT))
        self._plain = space.exactly(Field.OPTIONS, 0)
        self._services = [(name, self._service(host, protocol, port)) for name, host, protocol, port in self._list()]

    def _list(self) -> Iterator[tuple[str, IPv4Address | None, int, int]]:
        """Each service that a caller may reach: its name, its host, its protocol, its port or 0."""
        allowed = self._around.allowed
        for server in [None] if allowed.anybody else allowed.servers:
            yield f"authorized server {server or 'anybody'}", server, TCP, HTTPS
        for server in allowed.name_servers:
            for protocol in (UDP, TCP):
                yield f"utility service {server}", server, protocol, DNS
        for server in allowed.vpn_servers:
            for service in allowed.vpn:
                yield f"VPN server {server}, {service}", server, NUMBERS[service.protocol], service.port

    def _service(self, host: IPv4Address | None, protocol: int, port: int) -> tuple[Set, Set]:
        """To it, and from it."""
        sides = []
        for address_field, port_field in ((Field.DESTINATION, Field.TO_PORT), (Field.SOURCE, Field.FROM_PORT)):
            found = self._space.exactly(Field.PROTOCOL, protocol)
            if host is not None:
                found &= self._space.exactly(address_field, int(host))
            else:
                found &= ~self._one_of_own(address_field)
            if port:
                found &= self._space.exactly(port_field, port)
            sides.append(found)
        return sides[0], sides[1]

    def asked(self) -> Set:
        """What is forwarded, and what comes from a caller or goes to one; as the gateway routes it: by a caller's line
        only what is for the address that he has."""
        space, found = self._space, self.concerned()
        known = space.nothing
        for caller in self._around.callers:
            line = space.through(Field.OUT, caller.interface)
            found &= ~line | space.exactly(Field.DESTINATION, int(caller.address))
            known |= line
        if self._around.pool is not None:
            pool = space.within(Field.DESTINATION, int(self._around.pool[0]), int(self._around.pool[-1]))
            found &= ~(self._out_caller & ~known) | pool
        if self._around.own:
            found &= self._itself_if_own(Field.OUT, Field.DESTINATION)
            found &= ~space.through(Field.IN, ITSELF) | self._one_of_own(Field.SOURCE)
        return found

    def concerned(self) -> Set:
        """What is forwarded, or comes from a caller or goes to one."""
        space = self._space
        itself = space.through(Field.IN, ITSELF) | space.through(Field.OUT, ITSELF)
        return space.sound & tracked(space) & (~itself | self._in_caller | self._out_caller)

    def _one_of_own(self, field: Field) -> Set:
        return self._space.one_of(self._space.exactly(field, int(address)) for address in self._around.own)

    def _states(self, *states: State) -> Set:
        return self._space.one_of(self._space.exactly(Field.STATE, state) for state in states)

    def _from(self, caller: FencedSide) -> Set:
        line = self._space.through(Field.IN, caller.interface)
        return line & self._plain & self._space.exactly(Field.SOURCE, int(caller.address))

    def _to(self, caller: FencedSide) -> Set:
        line = self._space.through(Field.OUT, caller.interface)
        return line & self._plain & self._space.exactly(Field.DESTINATION, int(caller.address))

    def outward(self, caller: FencedSide) -> Set:
        """From exactly the assigned address to a service: §3.1."""
        to_services = self._space.one_of(to for _, (to, _) in self._services)
        return self._from(caller) & self._states(State.NEW, State.ESTABLISHED) & to_services

    def inward(self, caller: FencedSide) -> Set:
        """To exactly the assigned address what belongs to a flow."""
        return self._to(caller) & self._states(State.ESTABLISHED)

    def ways(self) -> Iterator[Way]:
        """Each service and its replies: forwarded, or the gateway's own where it has the service's address."""
        new, established = self._states(State.NEW, State.ESTABLISHED), self._states(State.ESTABLISHED)
        whole = self._space.exactly(Field.FRAGMENT, 0)
        there = ~self._out_caller & self._itself_if_own(Field.OUT, Field.DESTINATION) & new & whole
        back = ~self._in_caller & self._itself_if_own(Field.IN, Field.SOURCE) & established & whole
        for caller in self._around.callers:
            for name, (to, come) in self._services:
                yield Way(f"{caller.interface} to {name}", self._from(caller) & there & to)
                yield Way(f"{caller.interface}, reply of {name}", self._to(caller) & back & come)

    def _itself_if_own(self, side: Field, address: Field) -> Set:
        itself, own = self._space.through(side, ITSELF), self._one_of_own(address)
        return (own & itself) | (~own & ~itself)


def tastes(space: Space, around: Around, caller: FencedSide) -> Sequence[Set]:
    """What a packet that shows something best is like, the weightiest first: one that can be sent here, and read."""
    elsewhere = {field: ~_of_callers(space, around, field) for field in (Field.IN, Field.OUT)}
    outward = space.through(Field.IN, caller.interface) & elsewhere[Field.OUT]
    inward = space.through(Field.OUT, caller.interface) & elsewhere[Field.IN]
    if space.version == 6:
        return _tastes_of_ipv6(space, outward, inward)
    hosts = around.allowed.hosts
    near = [IPv4Network(f"{host}/24", strict=False) for host in hosts]
    beside = space.one_of(space.within(Field.DESTINATION, int(network[0]), int(network[-1])) for network in near)
    routed = _unicast(space, Field.DESTINATION) & _unicast(space, Field.SOURCE)
    stranger = space.within(Field.SOURCE, *_ends(IPv4Network("192.0.2.0/24")))
    return [
        alone(space), space.exactly(Field.STATE, State.NEW), outward | inward, routed,
        ~space.through(Field.OUT, ITSELF) & ~space.through(Field.IN, ITSELF),
        (outward & space.exactly(Field.SOURCE, int(caller.address))) | inward,
        (outward & beside) | (inward & stranger), space.exactly(Field.OPTIONS, 0),
        space.exactly(Field.PROTOCOL, TCP) | space.exactly(Field.PROTOCOL, UDP), space.exactly(Field.PROTOCOL, TCP),
        space.exactly(Field.FLAGS, 2), space.exactly(Field.TO_PORT, HTTPS), space.within(Field.FROM_PORT, 61500, 61500),
    ]  # fmt: skip


def _tastes_of_ipv6(space: Space, outward: Set, inward: Set) -> Sequence[Set]:
    """From an address that is one for documents to another (RFC 3849)."""
    caller, beyond = IPv6Network("2001:db8::/48"), IPv6Network("2001:db8:1::/48")
    return [
        alone(space), outward | inward, ~space.through(Field.OUT, ITSELF) & ~space.through(Field.IN, ITSELF), outward,
        space.within(Field.SOURCE, *_ends(caller)), space.within(Field.DESTINATION, *_ends(beyond)),
        space.exactly(Field.STATE, State.NEW), space.exactly(Field.OPTIONS, 0), space.exactly(Field.FRAGMENT, 0),
        space.exactly(Field.PROTOCOL, TCP) | space.exactly(Field.PROTOCOL, UDP), space.exactly(Field.PROTOCOL, TCP),
        space.exactly(Field.FLAGS, 2), space.exactly(Field.TO_PORT, HTTPS), space.within(Field.FROM_PORT, 61500, 61500),
    ]  # fmt: skip


def _of_callers(space: Space, around: Around, field: Field) -> Set:
    """By an interface of somebody's who is there, or may come."""
    named = (space.through(field, caller.interface) for caller in around.callers)
    return space.one_of([space.through(field, around.pattern), *named])


def _unicast(space: Space, field: Field) -> Set:
    """What a kernel routes: it drops others before any rule is asked (RFC 6890)."""
    return space.within(field, 1 << 24, (224 << 24) - 1) & ~space.within(field, 127 << 24, (128 << 24) - 1)


def _ends(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    return int(network[0]), int(network[-1])
