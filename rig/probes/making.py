"""What every probe is made of: the ground it runs on, a number of its own, addresses drawn from the seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network

from rig.config.bench import AllowTable
from rig.config.destinations import ESP, HTTPS, IKE, Destinations, Service
from rig.probes import packets
from rig.probes.probe import Expected, Probe, Side


@dataclass(frozen=True)
class Ground:
    """Where the probes run. ``sample``: addresses drawn from the rest of the address space; ``other``: a second
    caller's address; ``allow``: what the caller's own firewall lets in; ``seen_as``: the address that the caller has
    for those beyond the gateway, where its own is masked; ``proof``: who takes a connection over the same line, behind
    the probes, the last of the servers where it is not said; ``only``: the categories that are wanted, none for all;
    ``time_out``: seconds after which what UDP has opened is to be shut, 0 where nobody says."""

    allowed: Destinations
    caller: IPv4Address
    gateway: IPv4Address
    pool: IPv4Network
    sample: int = 200
    seed: int = 2007
    other: IPv4Address | None = None
    allow: tuple[AllowTable, ...] = ()
    seen_as: IPv4Address | None = None
    proof: IPv4Address | None = None
    only: frozenset[str] = frozenset()
    time_out: float = 0.0

    @property
    def follower(self) -> IPv4Address:
        """See ``proof``."""
        return self.proof or self.allowed.servers[-1]


class ProbeMaker:
    """Makes probes, numbered from ``first``. What it draws depends on the seed and on that number alone."""

    def __init__(self, ground: Ground, first: int) -> None:
        self.ground = ground
        self.random = random.Random(ground.seed * 65536 + first)  # noqa: S311 - drawn again from the same seed
        self.target = ground.seen_as or ground.caller
        self.authorized = {*ground.allowed.servers, *ground.allowed.name_servers}
        if ground.allowed.vpn:
            self.authorized |= {*ground.allowed.vpn_servers}
        self.hosts = ground.allowed.hosts
        self._numbers = itertools.count(first)

    def number(self) -> int:
        """The next probe's."""
        return next(self._numbers)

    def outward(
        self, category: str, what: str, made: bytes | list[bytes], number: int, *, allowed: bool = False
    ) -> Probe:
        """One that the caller sends."""
        expected = Expected.ALLOWED if allowed else Expected.DENIED
        all_packets = (made,) if isinstance(made, bytes) else tuple(made)
        return Probe(number, category, what, Side.CALLER, expected, all_packets)

    def good(self, host: IPv4Address, number: int, source: IPv4Address | None = None, **header: int | bytes) -> bytes:
        """What one of ``hosts`` may be sent, were it not for its source, or something in its IP header."""
        source = source or self.ground.caller
        if host in self.ground.allowed.servers:
            return packets.tcp(source, host, HTTPS, number, **header)  # type: ignore[arg-type]
        return packets.udp(source, host, IKE.port, number, **header)  # type: ignore[arg-type]

    def service(self, host: IPv4Address, service: Service, number: int) -> bytes:
        """The caller asks for something of a VPN server's."""
        if service == ESP:
            return packets.raw(self.ground.caller, host, packets.ESP, number, b"\0\0\1\0\0\0\0\1")
        return packets.udp(self.ground.caller, host, service.port, number)

    def syn(self, category: str, to: IPv4Address, port: int, *, allowed: bool = False) -> Probe:
        """A TCP SYN from the caller."""
        number = self.number()
        made = packets.tcp(self.ground.caller, to, port, number)
        return self.outward(category, f"TCP {to}:{port}", made, number, allowed=allowed)

    def tcp_inward(
        self, category: str, what: str, source: IPv4Address, port: int, flags: int, source_port: int
    ) -> Probe:
        """A TCP segment to the caller, at ``target``."""
        number = self.number()
        made = packets.tcp(source, self.target, port, number, flags=flags, source_port=source_port)
        return Probe(number, category, what, Side.FAR, Expected.DENIED, (made,))

    def inward(self, category: str, what: str, made: bytes, number: int) -> Probe:
        """One that somebody sends to the caller."""
        return Probe(number, category, what, Side.FAR, Expected.DENIED, (made,))

    def unauthorized(self, candidates: Iterator[IPv4Address], count: int) -> list[IPv4Address]:
        """So many of the candidates, none of them an address that the caller may reach."""
        unlike = (address for address in candidates if address not in self.authorized)
        return list(itertools.islice(dict.fromkeys(itertools.islice(unlike, count * 4)), count))

    def drawn(self, network: str | IPv4Network) -> Iterator[IPv4Address]:
        """Addresses of a network, drawn one after another, without end."""
        within = ip_network(network)
        while True:
            yield IPv4Address(int(within.network_address) + self.random.randrange(within.num_addresses))
