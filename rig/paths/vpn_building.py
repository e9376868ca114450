"""The making of a way home through a VPN: a console with its charon, in front of the customer's router."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from drivers.ipsec.charon import Charon
from drivers.net.link_end import LinkEnd
from rig.config.bench import Bench, RemoteModemTable
from rig.console.console import Console
from rig.console.networks import CARD, join_router
from rig.links.near_end import NearEnd
from rig.links.ppp_role import Calling
from rig.links.vpn_link import NAME, VpnLink
from rig.parts.router.rules import OUTSIDE
from rig.parts.vpn_server.gateway import L2TP
from rig.paths.built import Places, Tap
from rig.paths.up import Up
from rig.paths.vpn import VpnPath
from rig.paths.vpn_network import OUTSIDE_CARD, VpnNetwork, policy_of, reaches, tables
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class BuiltVpn:
    """See Built. ``charon``: the console's; ``number``: which of the consoles in the network it is."""

    bench: Bench
    path: VpnPath
    charon: Charon
    network: VpnNetwork
    number: int = 0

    @property
    def ca(self) -> str:
        return str(self.network.hosts.ca)

    @property
    def watch(self) -> Control:
        return self.network.hosts.control

    @property
    def pool(self) -> IPv4Network | None:
        return tables(self.bench)[1].pool

    def places(self, up: Up) -> Places:
        return self._inside(up) if up.kind == self.path.kind else self._around_the_router(up)

    def _inside(self, up: Up) -> Places:
        network = self.network
        towards = network.gateway.fence.towards(up.source)
        wire = LinkEnd(network.router.namespace, network.places[self.number].interface)
        own = LinkEnd(up.namespace, up.interface)
        return Places(own, network.gateway.behind, towards, wire=wire, taps=self._taps(own, wire, towards))

    def _taps(self, own: LinkEnd, wire: LinkEnd, towards: LinkEnd) -> tuple[Tap, ...]:
        gateway, router = self.network.gateway.namespace, self.network.router.namespace
        internet = LinkEnd(gateway, OUTSIDE_CARD)
        return (
            Tap("the gateway", internet, LinkEnd(router, OUTSIDE, gateway.hardware_address(OUTSIDE_CARD)), towards),
            Tap(
                "the console",
                LinkEnd(own.namespace, CARD),
                LinkEnd(router, wire.interface, own.namespace.hardware_address(CARD)),
                own,
            ),
        )

    def _around_the_router(self, up: Up) -> Places:
        network, router, inside = self.network, self.network.router.namespace, self.network.places[self.number]
        own = LinkEnd(up.namespace, up.interface, router.hardware_address(inside.interface))
        towards = LinkEnd(router, inside.interface, up.namespace.hardware_address(up.interface))
        table = tables(self.bench)[0]
        seen_as = None if table.masking == "none" else table.outside.ip
        return Places(own, network.beyond, towards, seen_as=seen_as)

    def drops(self, up: Up) -> dict[str, int]:
        if up.kind == self.path.kind:
            return self.network.gateway.fence.drops(up.source)
        return self.network.router.drops(self.number)


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltVpn:
    """Everything started, nothing opened."""
    with progress.step("customer's network: router, VPN gateway, service hosts"):
        network = VpnNetwork.made(bench, owner)
        built = console_in(network, owner, progress)
        network.wait_ready()
        built.charon.wait_ready()
        load(built)
    if capture is not None:
        capture.tap(owner, built.charon.namespace, CARD, "to the customer's router")
    return built


def console_in(network: VpnNetwork, owner: Owner, progress: Progress, number: int = 0) -> BuiltVpn:
    """A console at one of the places, its charon started; see :func:`load`."""
    bench, place = network.bench, network.places[number]
    _, vpn = tables(bench)
    role = f"hmc{number or ''}"
    console = Console.owned_by(owner, bench.near_end.allow, role)
    join_router(console, place.own, network.router.namespace, place.interface, place.router, reaches(vpn))
    charon = owner.own(Charon(console.namespace, owner.folder / f"charon-{role}", progress.detail))
    link = VpnLink(charon, RemoteModemTable(vpn.server), progress)
    near = owner.own(NearEnd(console, link, Calling(network.account, "chap"), bench.near_end.ppp, progress))
    link.lost = near.lost
    mtu = console.namespace.mtu(CARD)
    underlay = Up("internet", console.namespace, CARD, place.own.ip, place.router.ip, (), mtu, network.outside)
    path = VpnPath(near, link, network.allowed, underlay, vpn.policy)
    return BuiltVpn(bench, path, charon, network, number)


def load(built: BuiltVpn) -> None:
    """Tell a console's charon, which is ready, of the gateway."""
    vpn, own = tables(built.bench)[1], built.path.underlay.source
    selectors = ([f"{own}/32{L2TP}"], [f"{vpn.server}/32{L2TP}"])
    built.charon.load(NAME, own, vpn.server, policy_of(vpn), built.network.secret, selectors)
