"""What a VPN runs over, as those see it who build one on it: the customer's network, or a call by modem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network
from typing import Protocol

from rig.config.bench import Bench, InternetTable
from rig.config.bench_files import load_destinations
from rig.config.destinations import ESP, IKE, NAT_T, Service
from rig.config.fenced_side import FencedSide
from rig.console.console import Console
from rig.console.networks import join_router
from rig.drivers.faults.messages import Kind
from rig.drivers.net import firewall
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.fence_rules import SavedFence
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.lig.emulated import EmulatedLig
from rig.parts.router.router import Router
from rig.parts.router.rules import OUTSIDE, Masking
from rig.parts.vpn_server.gateway import GATEWAYS_CARD, HOSTS_CARD, SERVICES, VpnGateway
from rig.paths.built import Built, Places
from rig.paths.internet import InternetPath
from rig.paths.path import Path
from rig.paths.up import Up
from rig.run.cable import laid
from rig.run.owner import Owner
from rig.run.progress import Progress

OUTSIDE_CARD = "net0"
"""The gateway's interface towards the Internet."""
ONLY_THE_GATEWAY = """\
*filter
:FORWARD DROP
-A FORWARD -d {server}/32 -j ACCEPT
-A FORWARD -s {server}/32 -j ACCEPT
COMMIT
"""


class Beneath(Protocol):
    """``path``: the way itself, of which every packet of a VPN's is."""

    @property
    def path(self) -> Path: ...

    @property
    def console(self) -> Console: ...

    def places(self, lower: Up) -> Places:
        """Where one can stand around the way beneath, which is up."""

    def fence(self, lower: Up) -> SavedFence | None:
        """The rules around it."""

    def near(self, lower: Up) -> LinkEnd:
        """Where the console's packets come by first; what is sent from there to the console arrives."""

    def far(self) -> tuple[LinkEnd, LinkEnd]:
        """Where the gateway hears, and from where one may speak to it."""


@dataclass(frozen=True)
class Place:
    """Where one console stands in the customer's network: its address, and the router's beside it."""

    interface: str
    own: IPv4Interface
    router: IPv4Interface


@dataclass(frozen=True)
class VpnNetwork:
    """A customer's network whose router lets a VPN through, and nothing else; ``places`` of the consoles in it, each
    behind an interface of the router's own."""

    bench: Bench
    table: InternetTable
    places: tuple[Place, ...]
    router: Router
    gateway: VpnGateway

    @classmethod
    def made(cls, bench: Bench, owner: Owner, gateway: VpnGateway, consoles: int = 1, inside: str = "") -> VpnNetwork:
        """The router, joined to the gateway. ``inside``: its interface towards the one console, where that is a device
        at one of this machine's."""
        table = bench.internet
        assert table is not None
        places = tuple(_place(table, number, inside) for number in range(consoles))
        sides = [FencedSide(place.interface, place.own.ip) for place in places]
        found = load_destinations(bench)
        passes = replace(found, servers=(), name_servers=(), anybody=False, elsewhere=(), vpn=services(table))
        router = Router(owner, passes, Masking(table.masking, table.outside.ip), *sides)
        router.join_internet(gateway.namespace, OUTSIDE_CARD, table.outside)
        for place in places:
            gateway.namespace.add_route(place.own.network, OUTSIDE_CARD, str(table.outside.ip))
        router.close_fence(table.broken)
        return cls(bench, table, places, router, gateway)

    def around(self, number: int, lower: Up) -> Places:
        """Where one can stand around the router, on the side of one of the consoles."""
        own = LinkEnd(
            lower.namespace, lower.interface, self.router.namespace.hardware_address(self.places[number].interface)
        )
        seen_as = None if self.table.masking == "none" else self.table.outside.ip
        hears, _ = self.far()
        beyond = LinkEnd(hears.namespace, hears.interface, self.router.namespace.hardware_address(OUTSIDE))
        return Places(own, beyond, self.near(number, lower), seen_as=seen_as)

    def near(self, number: int, lower: Up) -> LinkEnd:
        """The router's end of the cable to one of them."""
        mac = lower.namespace.hardware_address(lower.interface)
        return LinkEnd(self.router.namespace, self.places[number].interface, mac)

    def far(self) -> tuple[LinkEnd, LinkEnd]:
        """See Beneath."""
        gateway = self.gateway.namespace
        mac = gateway.hardware_address(OUTSIDE_CARD)
        return LinkEnd(gateway, OUTSIDE_CARD), LinkEnd(self.router.namespace, OUTSIDE, mac)


def services(table: InternetTable) -> tuple[Service, ...]:
    """What a VPN takes through a customer's firewall (§5.2): ESP itself where nobody translates addresses."""
    return (IKE, ESP) if table.masking == "none" else (IKE, NAT_T)


def _place(table: InternetTable, number: int, inside: str) -> Place:
    """The bench's own, and for more consoles the networks above that."""
    step = number * table.console.network.num_addresses
    length = table.console.network.prefixlen
    own, router = IPv4Interface(f"{table.console.ip + step}/{length}"), IPv4Interface(f"{table.router + step}/{length}")
    return Place(inside or f"lan{number}", own, router)


@dataclass(frozen=True)
class BehindRouter:
    """See Beneath. ``number``: which of the consoles in the network it is."""

    network: VpnNetwork
    console: Console
    path: InternetPath
    number: int

    @classmethod
    def made(cls, network: VpnNetwork, owner: Owner, progress: Progress, number: int = 0) -> BehindRouter:
        """A console at one of the places."""
        bench, place = network.bench, network.places[number]
        console = Console.owned_by(owner, bench.near_end.allow, f"hmc{number or ''}")
        server = IPv4Network(f"{network.gateway.server}/32")
        lay = NetworkNamespace.join if number else laid(bench, owner, Kind.IKE)  # of several consoles, the first
        router = network.router.namespace
        join_router(console.namespace, place.own, router, place.interface, place.router, server, lay)
        passes = network.router.allowed
        return cls(network, console, InternetPath(console, place.own.ip, place.router.ip, passes, progress), number)

    def places(self, lower: Up) -> Places:
        return self.network.around(self.number, lower)

    def fence(self, lower: Up) -> SavedFence | None:
        return self.network.router.fence(self.number)

    def near(self, lower: Up) -> LinkEnd:
        return self.network.near(self.number, lower)

    def far(self) -> tuple[LinkEnd, LinkEnd]:
        return self.network.far()


@dataclass(frozen=True)
class OverModem:
    """See Beneath. ``call``: the way home by modem; the gateway is behind the LIG's service hosts."""

    call: Built
    console: Console
    lig: EmulatedLig
    hosts: NetworkNamespace
    gateway: VpnGateway

    @classmethod
    def made(
        cls, call: Built, console: Console, lig: EmulatedLig, hosts: EmulatedHosts, gateway: VpnGateway
    ) -> OverModem:
        """The gateway has one cable, to the service hosts, who send on what is for it and nothing else."""
        gateway.join_services(hosts.namespace, gateway.pool)
        gateway.namespace.add_route(IPv4Network("0.0.0.0/0"), GATEWAYS_CARD, str(SERVICES[1].ip))
        hosts.namespace.forward()
        firewall.apply(hosts.namespace, ONLY_THE_GATEWAY.format(server=gateway.server))
        hosts.namespace.add_route(IPv4Network(f"{gateway.server}/32"), HOSTS_CARD, str(SERVICES[0].ip))
        return cls(call, console, lig, hosts.namespace, gateway)

    @property
    def path(self) -> Path:
        return self.call.path

    def places(self, lower: Up) -> Places:
        return self.call.places(lower)

    def fence(self, lower: Up) -> SavedFence | None:
        return self.call.fence(lower)

    def near(self, lower: Up) -> LinkEnd:
        return self.lig.fence.towards(lower.source)

    def far(self) -> tuple[LinkEnd, LinkEnd]:
        mac = self.gateway.namespace.hardware_address(GATEWAYS_CARD)
        return LinkEnd(self.gateway.namespace, GATEWAYS_CARD), LinkEnd(self.hosts, HOSTS_CARD, mac)
