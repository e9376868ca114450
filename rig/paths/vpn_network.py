"""What lies between consoles and a VPN gateway, and beyond it: the customer's router, and the service hosts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network

from drivers.base.secret import Secret
from drivers.ipsec.charon import Policy
from drivers.net import firewall
from drivers.net.link_end import LinkEnd
from rig.config.bench import Bench, InternetTable, VpnTable
from rig.config.bench_files import load_destinations
from rig.config.destinations import ESP, IKE, NAT_T, Destinations, Service
from rig.config.secret_files import secret_value
from rig.parts.fence_rules import FencedSide
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.router.router import Router
from rig.parts.router.rules import OUTSIDE, Masking
from rig.parts.vpn_server.gateway import VpnGateway
from rig.run.owner import Owner

OUTSIDE_CARD, SERVICE_CARD = "net0", "svc0"
POLICIES = {
    # The paper's "160-bit MD5" cannot be: HMAC-MD5 has 128 bits, 160 is SHA-1. It names no group. Both are offered.
    "paper-2007": Policy(("3des-sha1-modp1024", "3des-md5-modp1024"), ("3des-sha1", "3des-md5")),
    "today": Policy(("aes256-sha256-modp2048",), ("aes256-sha256",)),
}


@dataclass(frozen=True)
class Place:
    """Where one console stands in the customer's network: its address, and the router's beside it."""

    interface: str
    own: IPv4Interface
    router: IPv4Interface


@dataclass(frozen=True)
class VpnNetwork:
    """``allowed``: what is to be reached through the VPN; ``outside``: what the customer's firewall lets through, which
    is the VPN; ``places``: of the consoles, each behind an interface of the router's own."""

    bench: Bench
    places: tuple[Place, ...]
    router: Router
    gateway: VpnGateway
    hosts: EmulatedHosts
    secret: str
    account: Secret
    allowed: Destinations
    outside: Destinations

    @classmethod
    def made(cls, bench: Bench, owner: Owner, consoles: int = 1) -> VpnNetwork:
        """All of it started; :meth:`wait_ready`."""
        firewall.back_end()  # found once, before the processes are forked that ask for it too
        table, vpn = tables(bench)
        found = load_destinations(bench)
        allowed = replace(found, name_servers=(), vpn=())
        outside = replace(found, servers=(), name_servers=(), anybody=False, elsewhere=(), vpn=services(table))
        secret = secret_value(bench, "vpn-gateway.secret", vpn.secret, secrets.token_urlsafe(18))
        account = Secret(vpn.account, secret_value(bench, "vpn-gateway.chap", vpn.chap, secrets.token_urlsafe(18)))
        hosts = EmulatedHosts(bench, owner, SERVICE_CARD)
        gateway = VpnGateway(owner, vpn, policy_of(vpn), secret, account, allowed)
        gateway.join_services(hosts.namespace, SERVICE_CARD)
        places = tuple(_place(table, number) for number in range(consoles))
        sides = [FencedSide(place.interface, place.own.ip) for place in places]
        router = Router(owner, outside, Masking(table.masking, table.outside.ip), *sides)
        beyond = next(host for host in table.outside.network.hosts() if host != table.outside.ip)
        other = IPv4Interface(f"{beyond}/{table.outside.network.prefixlen}")
        router.join_internet(gateway.namespace, OUTSIDE_CARD, table.outside, other)
        for place in places:
            gateway.namespace.add_route(place.own.network, OUTSIDE_CARD, str(table.outside.ip))
        router.close_fence(table.broken)
        hosts.start()
        return cls(bench, places, router, gateway, hosts, secret, account, allowed, outside)

    def wait_ready(self) -> None:
        """Until the gateway takes who comes, and the hosts are there. Raises what kept one from it."""
        self.gateway.wait_ready()
        self.hosts.process.wait_ready()

    @property
    def beyond(self) -> LinkEnd:
        """The gateway's end of the Internet: where what leaks past the customer's firewall is seen."""
        mac = self.router.namespace.hardware_address(OUTSIDE)
        return LinkEnd(self.gateway.namespace, OUTSIDE_CARD, mac)


def tables(bench: Bench) -> tuple[InternetTable, VpnTable]:
    """A bench's own, which it has."""
    assert bench.internet is not None
    assert bench.vpn_gateway is not None
    return bench.internet, bench.vpn_gateway


def policy_of(vpn: VpnTable) -> Policy:
    """What a bench's ends offer and take, and when they make it anew."""
    offered = POLICIES[vpn.policy]
    return Policy(offered.ike, offered.esp, vpn.rekey, vpn.rekey_spread, vpn.lifetime, vpn.silence, vpn.patience)


def services(table: InternetTable) -> tuple[Service, ...]:
    """What a VPN takes through a customer's firewall (§5.2): ESP itself where nobody translates addresses."""
    return (IKE, ESP) if table.masking == "none" else (IKE, NAT_T)


def _place(table: InternetTable, number: int) -> Place:
    """The bench's own, and for more consoles the networks above that."""
    step = number * table.console.network.num_addresses
    length = table.console.network.prefixlen
    own, router = IPv4Interface(f"{table.console.ip + step}/{length}"), IPv4Interface(f"{table.router + step}/{length}")
    return Place(f"lan{number}", own, router)


def reaches(vpn: VpnTable) -> IPv4Network:
    """All that a console has a way to beside its VPN."""
    return IPv4Network(f"{vpn.server}/32")
