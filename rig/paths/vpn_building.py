"""The making of a way home through a VPN: the console with its charon, the customer's router, the VPN gateway and the
service hosts behind that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network

from drivers.base.secret import Secret
from drivers.ipsec.charon import Charon, Policy
from drivers.net import firewall
from drivers.net.link_end import LinkEnd
from rig.config.bench import Bench, RemoteModemTable
from rig.config.bench_files import load_destinations
from rig.config.secret_files import secret_value
from rig.console.console import Console
from rig.console.networks import CARD, join_router
from rig.links.near_end import NearEnd
from rig.links.ppp_role import Calling
from rig.links.vpn_link import NAME, VpnLink
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.router.router import Router
from rig.parts.router.rules import INSIDE, Masking
from rig.parts.vpn_server.gateway import L2TP, VpnGateway
from rig.paths.built import Places
from rig.paths.up import Up
from rig.paths.vpn import VpnPath
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress

OUTSIDE_CARD, SERVICE_CARD = "net0", "svc0"
POLICIES = {
    # The paper's "160-bit MD5" cannot be: HMAC-MD5 has 128 bits, 160 is SHA-1. It names no group. Both are offered.
    "paper-2007": Policy(("3des-sha1-modp1024", "3des-md5-modp1024"), ("3des-sha1", "3des-md5")),
    "today": Policy(("aes256-sha256-modp2048",), ("aes256-sha256",)),
}


@dataclass(frozen=True)
class BuiltVpn:
    """See Built. ``gateway``: the VPN's; ``router``: the customer's."""

    bench: Bench
    path: VpnPath
    ca: str
    watch: Control
    gateway: VpnGateway
    router: Router
    pool: IPv4Network | None

    def places(self, up: Up) -> Places:
        wire = LinkEnd(self.router.namespace, INSIDE)
        return Places(LinkEnd(up.namespace, up.interface), wire=wire)

    def drops(self, up: Up) -> dict[str, int]:
        return self.router.drops()


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltVpn:
    """Everything started, nothing opened."""
    table, vpn = bench.internet, bench.vpn_gateway
    assert table is not None
    assert vpn is not None
    firewall.back_end()  # found once, before the processes are forked that ask for it too
    allowed = load_destinations(bench)
    secret = secret_value(bench, "vpn-gateway.secret", vpn.secret, secrets.token_urlsafe(18))
    account = Secret(vpn.account, secret_value(bench, "vpn-gateway.chap", vpn.chap, secrets.token_urlsafe(18)))
    policy = POLICIES[vpn.policy]
    with progress.step("customer's network: router, VPN gateway, service hosts"):
        hosts = EmulatedHosts(bench, owner, SERVICE_CARD)
        gateway = VpnGateway(owner, vpn, policy, secret, account, allowed)
        gateway.join_services(hosts.namespace, SERVICE_CARD)
        router = Router(
            owner, replace(allowed, servers=(), vpn=True), table.console.ip, Masking(table.masking, table.outside.ip)
        )
        beyond = next(host for host in table.outside.network.hosts() if host != table.outside.ip)
        other = IPv4Interface(f"{beyond}/{table.outside.network.prefixlen}")
        router.join_internet(gateway.namespace, OUTSIDE_CARD, table.outside, other)
        router.close_fence(table.broken)
        serving = hosts.start()
        console = Console.owned_by(owner, bench.near_end.allow)
        at = IPv4Interface(f"{table.router}/{table.console.network.prefixlen}")
        join_router(console, table.console, router.namespace, INSIDE, at, IPv4Network(f"{vpn.server}/32"))
        charon = owner.own(Charon(console.namespace, owner.folder / "charon-hmc", progress.detail))
        gateway.wait_ready()
        charon.wait_ready()
        selectors = ([f"{table.console.ip}/32{L2TP}"], [f"{vpn.server}/32{L2TP}"])
        charon.load(NAME, table.console.ip, vpn.server, policy, secret, selectors)
        serving.wait_ready()
    if capture is not None:
        capture.tap(owner, console.namespace, CARD, "to the customer's router")
    link = VpnLink(charon, RemoteModemTable(vpn.server), progress)
    near = owner.own(NearEnd(console, link, Calling(account, "chap"), bench.near_end.ppp, progress))
    link.lost = near.lost
    underlay = Up("internet", console.namespace, CARD, table.console.ip, table.router, (), 1500, allowed)
    path = VpnPath(near, link, allowed, underlay, vpn.policy)
    return BuiltVpn(bench, path, str(hosts.ca), hosts.control, gateway, router, vpn.pool)
