"""The probes that a fence must stand, derived from what is declared: the fence file and the session's addresses.

Change an address in the fence file, and nothing else, and the probes change. Everything that is drawn is drawn
from the seed, so the same seed gives the same packets.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

import dpkt

from rig.fence import DNS, HTTPS, Fence
from rig.probes import packets
from rig.probes.probe import Expected, Probe, Side

MARTIANS = (
    "0.0.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "10.1.2.3", "192.168.1.1",
)  # fmt: skip
"""Sources that no packet may have on a line that leads outside (RFC 6890)."""
SPECIAL_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
OTHER_PORTS = (0, 1, 22, 80, 442, 444, 8443, 65535)
GATEWAY_PORTS = (22, 23, 80, 443, 1723)
OPTIONS = {
    "loose source route": lambda address: bytes([131, 7, 4]) + address.packed,
    "strict source route": lambda address: bytes([137, 7, 4]) + address.packed,
    "record route": lambda address: bytes([7, 7, 4]) + bytes(4),
    "time stamp": lambda address: bytes([68, 8, 5, 0]) + bytes(4),
}
IPV6_CALLER, IPV6_SERVER = IPv6Address("2001:db8::1"), IPv6Address("2001:db8:1::1")


@dataclass(frozen=True)
class Ground:
    """Where the probes run. ``sample``: addresses drawn from the rest of the address space."""

    fence: Fence
    caller: IPv4Address
    gateway: IPv4Address
    pool: IPv4Network
    sample: int = 200
    seed: int = 2007


class Matrix:
    """Every probe of a ground, numbered in their order."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._random = random.Random(ground.seed)  # noqa: S311 - drawn again from the same seed
        self._numbers = itertools.count(1)
        self._authorized = {*ground.fence.servers, *ground.fence.name_servers}

    def outward(self) -> list[Probe]:
        """What the caller sends."""
        return [
            *self._allowed(), *self._neighbours(), *self._address_space(), *self._ports(), *self._protocols(),
            *self._sources(), *self._fragments(), *self._options(), *self._time_to_live(), *self._gateway_itself(),
            *self._utility_hosts(), *self._foreign_names(), *self._ipv6(),
        ]  # fmt: skip

    def inward(self) -> list[Probe]:
        """What others send to the caller, who has asked them for nothing."""
        return [*self._unsolicited("unsolicited, authorized server", self.ground.fence.servers), *self._strangers()]

    def second_server(self, spoken_to: IPv4Address, port: int) -> list[Probe]:
        """What the other servers send to the port on which the caller speaks with one of them."""
        kinds = (("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK), ("ACK", dpkt.tcp.TH_ACK), ("RST", dpkt.tcp.TH_RST))
        return [
            self._tcp_in("reply from another server", f"{name} from {server}", server, port, flags, HTTPS)
            for server in self.ground.fence.servers
            if server != spoken_to
            for name, flags in kinds
        ]

    def errors_about(self, server: IPv4Address, port: int) -> list[Probe]:
        """ICMP errors that quote the flow between the caller's port and a server."""
        caller = self.ground.caller
        quoted = packets.tcp(caller, server, HTTPS, 0, source_port=port)[:28]
        found = []
        for source, (name, kind, code) in itertools.product(
            (server, self.ground.fence.servers[-1]), (("unreachable", 3, 1), ("time exceeded", 11, 0))
        ):
            number = next(self._numbers)
            made = packets.icmp(source, caller, kind, code, number, quoted)
            found.append(self._in("ICMP error about a flow", f"ICMP {name} from {source}", made, number))
        return found

    def of_a_flow(self, server: IPv4Address, port: int) -> list[Probe]:
        """Segments of a flow that the last caller with this address had."""
        kinds = (("ACK", dpkt.tcp.TH_ACK), ("ACK PSH", dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH))
        return [
            self._tcp_in("previous caller's flow", f"{name} from {server}", server, port, flags, HTTPS)
            for name, flags in kinds
        ]

    # --- making one ------------------------------------------------------------------------------------------

    def _out(self, category: str, what: str, made: bytes | list[bytes], number: int, *, allowed: bool = False) -> Probe:
        expected = Expected.ALLOWED if allowed else Expected.DENIED
        all_packets = (made,) if isinstance(made, bytes) else tuple(made)
        return Probe(number, category, what, Side.CALLER, expected, all_packets)

    def _syn(self, category: str, to: IPv4Address, port: int, *, allowed: bool = False) -> Probe:
        number = next(self._numbers)
        made = packets.tcp(self.ground.caller, to, port, number)
        return self._out(category, f"TCP {to}:{port}", made, number, allowed=allowed)

    def _tcp_in(self, category: str, what: str, source: IPv4Address, port: int, flags: int, source_port: int) -> Probe:
        number = next(self._numbers)
        made = packets.tcp(source, self.ground.caller, port, number, flags=flags, source_port=source_port)
        return Probe(number, category, what, Side.FAR, Expected.DENIED, (made,))

    def _in(self, category: str, what: str, made: bytes, number: int) -> Probe:
        return Probe(number, category, what, Side.FAR, Expected.DENIED, (made,))

    # --- outward ---------------------------------------------------------------------------------------------

    def _allowed(self) -> Iterator[Probe]:
        for server in self.ground.fence.servers:
            yield self._syn("authorized server", server, HTTPS, allowed=True)
        for server in self.ground.fence.name_servers:
            number = next(self._numbers)
            query = bytes(dpkt.dns.DNS(id=number, qd=[dpkt.dns.DNS.Q(name="probe.invalid", type=dpkt.dns.DNS_A)]))
            made = packets.udp(self.ground.caller, server, DNS, number, query)
            yield self._out("utility service", f"UDP {server}:{DNS}", made, number, allowed=True)
            yield self._syn("utility service", server, DNS, allowed=True)

    def _unauthorized(self, candidates: Iterator[IPv4Address], count: int) -> list[IPv4Address]:
        unlike = (address for address in candidates if address not in self._authorized)
        return list(itertools.islice(dict.fromkeys(itertools.islice(unlike, count * 4)), count))

    def _drawn(self, network: str | IPv4Network) -> Iterator[IPv4Address]:
        within = ip_network(network)
        while True:
            yield IPv4Address(int(within.network_address) + self._random.randrange(within.num_addresses))

    def _neighbours(self) -> Iterator[Probe]:
        for server in self.ground.fence.servers:
            around = [server - 1, server + 1]
            for length in (24, 16):
                network = IPv4Network(f"{server}/{length}", strict=False)
                around += self._unauthorized(self._drawn(network), 8)
            for address in dict.fromkeys(around):
                if address not in self._authorized:
                    yield self._syn("neighbour of a server", address, HTTPS)

    def _address_space(self) -> Iterator[Probe]:
        for address in self._unauthorized(self._drawn("0.0.0.0/0"), self.ground.sample):
            yield self._syn("address space", address, HTTPS)
        for network in SPECIAL_NETWORKS:
            for address in self._unauthorized(self._drawn(network), 4):
                yield self._syn("special addresses", address, HTTPS)
        yield self._syn("special addresses", IPv4Address("255.255.255.255"), HTTPS)

    def _ports(self) -> Iterator[Probe]:
        for server in self.ground.fence.servers:
            drawn = self._random.sample(range(1024, 65535), 100)
            for port in (*OTHER_PORTS, *(port for port in drawn if port != HTTPS)):
                yield self._syn("other port of a server", server, port)

    def _protocols(self) -> Iterator[Probe]:
        caller = self.ground.caller
        for server in self.ground.fence.servers:
            for port in (HTTPS, DNS, 500, 4500, 1701, self._random.randrange(1024, 65535)):
                number = next(self._numbers)
                yield self._out(
                    "UDP to a server", f"UDP {server}:{port}", packets.udp(caller, server, port, number), number
                )
            complained = packets.tcp(server, caller, HTTPS, 0)[:28]
            for name, kind, code in (
                ("echo", 8, 0), ("time stamp", 13, 0), ("unreachable", 3, 1), ("fragmentation needed", 3, 4),
                ("redirect", 5, 1), ("time exceeded", 11, 0), ("parameter problem", 12, 0),
            ):  # fmt: skip
                number = next(self._numbers)
                made = packets.icmp(caller, server, kind, code, number, b"" if kind in (8, 13) else complained)
                yield self._out("ICMP to a server", f"ICMP {name} to {server}", made, number)
            for name, protocol, head in (
                ("ESP", packets.ESP, b"\0\0\1\0\0\0\0\1"), ("AH", 51, bytes(12)), ("GRE", packets.GRE, b"\0\0\x08\0"),
                ("IP in IP", packets.IPIP, b""), ("IPv6 in IP", packets.IPV6, b""), ("SCTP", 132, bytes(12)),
                ("protocol 255", 255, b""),
            ):  # fmt: skip
                number = next(self._numbers)
                made = packets.raw(caller, server, protocol, number, head)
                yield self._out("other protocol", f"{name} to {server}", made, number)

    def _sources(self) -> Iterator[Probe]:
        ground = self.ground
        others = self._unauthorized(self._drawn(ground.pool), min(8, ground.pool.num_addresses - 2))
        false = [ground.caller + 1, ground.caller - 1, *others, ground.gateway, *ground.fence.servers]
        false += [*ground.fence.name_servers, *map(IPv4Address, MARTIANS)]
        for server, source in itertools.product(ground.fence.servers, dict.fromkeys(false)):
            if source not in (ground.caller, server):
                number = next(self._numbers)
                made = packets.tcp(source, server, HTTPS, number)
                yield self._out("spoofed source", f"TCP from {source} to {server}", made, number)

    def _fragments(self) -> Iterator[Probe]:
        for server in self.ground.fence.servers:
            for name, sizes, order in (
                ("tiny first", (8,), 1), ("three pieces", (16, 8), 1), ("out of order", (16, 8), -1),
            ):  # fmt: skip
                number = next(self._numbers)
                made = packets.fragments(self.ground.caller, server, 80, number, sizes)[::order]
                yield self._out("fragments", f"{name}, TCP {server}:80", made, number)
            number = next(self._numbers)
            made = packets.fragments(self.ground.caller, server, 80, number, (24,))
            overlap = packets.ip(self.ground.caller, server, packets.TCP, b"\0P" * 12, number, offset=8, more=True)
            yield self._out("fragments", f"overlapping, TCP {server}:80", [made[0], overlap, *made[1:]], number)

    def _options(self) -> Iterator[Probe]:
        for server, (name, option) in itertools.product(self.ground.fence.servers, OPTIONS.items()):
            number = next(self._numbers)
            made = packets.tcp(self.ground.caller, server, HTTPS, number, options=option(server))
            yield self._out("IP options", f"{name} to {server}", made, number)

    def _time_to_live(self) -> Iterator[Probe]:
        for server in self.ground.fence.servers:
            number = next(self._numbers)
            made = packets.tcp(self.ground.caller, server, HTTPS, number, ttl=1)
            yield self._out("time to live of 1", f"TCP {server}:{HTTPS}", made, number)

    def _gateway_itself(self) -> Iterator[Probe]:
        gateway = self.ground.gateway
        for port in GATEWAY_PORTS:
            yield self._syn("the gateway itself", gateway, port)
        for port in (DNS, 161):
            number = next(self._numbers)
            made = packets.udp(self.ground.caller, gateway, port, number)
            yield self._out("the gateway itself", f"UDP {gateway}:{port}", made, number)
        number = next(self._numbers)
        made = packets.icmp(self.ground.caller, gateway, 8, 0, number)
        yield self._out("the gateway itself", f"ICMP echo to {gateway}", made, number)

    def _utility_hosts(self) -> Iterator[Probe]:
        for server in self.ground.fence.name_servers:
            for port in (22, 80, HTTPS, 5353):
                yield self._syn("other port of a utility service", server, port)
            number = next(self._numbers)
            made = packets.icmp(self.ground.caller, server, 8, 0, number)
            yield self._out("other port of a utility service", f"ICMP echo to {server}", made, number)

    def _foreign_names(self) -> Iterator[Probe]:
        for address in (*self.ground.fence.servers, *self._unauthorized(self._drawn("0.0.0.0/1"), 8)):
            number = next(self._numbers)
            made = packets.udp(self.ground.caller, address, DNS, number)
            yield self._out("name service of others", f"UDP {address}:{DNS}", made, number)
            yield self._syn("name service of others", address, DNS)

    def _ipv6(self) -> Iterator[Probe]:
        for port in (HTTPS, DNS):
            number = next(self._numbers)
            made = packets.udp6(IPV6_CALLER, IPV6_SERVER, port, number)
            yield Probe(number, "IPv6", f"UDP [{IPV6_SERVER}]:{port}", Side.CALLER, Expected.DENIED, (made,), version=6)

    # --- inward ----------------------------------------------------------------------------------------------

    def _unsolicited(self, category: str, sources: tuple[IPv4Address, ...]) -> Iterator[Probe]:
        caller = self.ground.caller
        for source in sources:
            for name, flags, port in (
                ("SYN", dpkt.tcp.TH_SYN, 22), ("SYN ACK", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK, 40000),
                ("ACK", dpkt.tcp.TH_ACK, 40000), ("RST", dpkt.tcp.TH_RST, 40000),
            ):  # fmt: skip
                yield self._tcp_in(category, f"{name} from {source} to port {port}", source, port, flags, HTTPS)
            number = next(self._numbers)
            yield self._in(category, f"UDP from {source}", packets.udp(source, caller, 40000, number), number)
            complained = packets.tcp(caller, source, HTTPS, 0)[:28]
            for name, kind, code, rest in (("echo", 8, 0, b""), ("unreachable", 3, 1, complained)):
                number = next(self._numbers)
                made = packets.icmp(source, caller, kind, code, number, rest)
                yield self._in(category, f"ICMP {name} from {source}", made, number)
            number = next(self._numbers)
            made = packets.raw(source, caller, packets.ESP, number, b"\0\0\1\0\0\0\0\1")
            yield self._in(category, f"ESP from {source}", made, number)

    def _strangers(self) -> Iterator[Probe]:
        drawn = self._unauthorized(self._drawn("0.0.0.0/2"), 4)
        yield from self._unsolicited("unsolicited, stranger", tuple(drawn))
