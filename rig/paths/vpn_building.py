"""The making of a way home through a VPN: a console with its charon, over the customer's network or a call by modem."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from ipaddress import IPv4Network

from rig.config.bench import Bench
from rig.config.secret_files import is_made
from rig.console.console import Console
from rig.console.networks import CARD
from rig.drivers.base.secret import Secret
from rig.drivers.faults.messages import Kind
from rig.drivers.ipsec.charon import Charon
from rig.drivers.ipsec.events import Down, Event, IkeUp, Rekeyed, Said
from rig.drivers.net.link_end import LinkEnd
from rig.links.remote_service import ServiceCall
from rig.links.vpn_link import VpnLink
from rig.parts.fence_rules import SavedFence
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.lig.emulated import EmulatedLig
from rig.paths.built import Built, Places, Tap
from rig.paths.served import Served
from rig.paths.up import Up
from rig.paths.vpn import VpnPath, console_end
from rig.paths.vpn_beneath import BehindRouter, Beneath, OverModem, VpnNetwork
from rig.paths.vpn_service import VpnService
from rig.run import cable
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class BuiltVpn:
    """See Built. ``charon``: the console's; ``beneath``: what the VPN runs over."""

    bench: Bench
    path: VpnPath
    charon: Charon
    service: VpnService
    beneath: Beneath

    @property
    def ca(self) -> str:
        return str(self.service.hosts.ca)

    @property
    def watch(self) -> Control:
        return self.service.hosts.control

    @property
    def pool(self) -> IPv4Network | None:
        return self.service.terms.table.pool

    @property
    def console(self) -> Console:
        return self.beneath.console

    def service_call(self, name: str) -> ServiceCall:
        """Another session in the VPN, and whom it is for."""
        link = VpnLink(self.path.link.tunnel, name)
        return ServiceCall(link, link.dial)

    def places(self, up: Up) -> Places:
        return self._inside(up) if up.underlay is not None else self.beneath.places(up)

    def _inside(self, up: Up) -> Places:
        assert up.underlay is not None
        gateway, own = self.service.gateway, LinkEnd(up.namespace, up.interface)
        towards, near = gateway.fence.towards(up.source), self.beneath.near(up.underlay)
        hears, speaks = self.beneath.far()
        console = LinkEnd(up.namespace, up.underlay.interface)
        taps = (Tap("the gateway", hears, speaks, towards), Tap("the console", console, near, own))
        return Places(own, gateway.behind, towards, wire=near, taps=taps)

    def fence(self, up: Up) -> SavedFence | None:
        return self.service.gateway.fence.around(up.source) if up.underlay is not None else self.beneath.fence(up)


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltVpn:
    """Over a customer's network. Everything started, nothing opened."""
    with progress.step("customer's network: router, VPN gateway, service hosts"):
        service = VpnService.with_hosts(bench, owner)
        network = VpnNetwork.made(bench, owner, service.gateway)
        beneath = BehindRouter.made(network, owner, progress)
        built = _ready(console_on(bench, service, beneath, owner, progress))
    if capture is not None:
        cable = LinkEnd(network.router.namespace, network.places[0].interface)
        capture.tap_cable(owner, cable, f"{CARD}, to the customer's router")
        capture.tap_keys(owner, beneath.console.namespace, built.charon.log_keys)
    return built


def over_modem(
    bench: Bench,
    owner: Owner,
    progress: Progress,
    call: Built,
    console: Console,
    lig: EmulatedLig,
    hosts: EmulatedHosts,
    capture: Capture | None = None,
) -> BuiltVpn:
    """Over a call by modem, whose far end is there: its gateway, and the service hosts behind that."""
    with progress.step("VPN gateway"):
        service = VpnService.made(bench, owner, hosts)
        beneath = OverModem.made(call, console, lig, hosts, service.gateway)
        built = _ready(console_on(bench, service, beneath, owner, progress))
    if capture is not None:
        capture.tap_keys(owner, console.namespace, built.charon.log_keys)
    return built


def _ready(built: BuiltVpn) -> BuiltVpn:
    built.service.wait_ready()
    built.charon.wait_ready()
    return built


def console_on(bench: Bench, service: VpnService, beneath: Beneath, owner: Owner, progress: Progress) -> BuiltVpn:
    """A console's charon, started, and its end of a VPN to the rig's own gateway."""
    path, charon = console_end(bench, service.terms, beneath.path, beneath.console, owner, progress)
    return BuiltVpn(bench, path, charon, service, beneath)


def serve(bench: Bench, owner: Owner, progress: Progress) -> Served:
    """The router and the gateway stand ready for a device, which is the console."""
    table = bench.internet
    assert table is not None
    with progress.step("customer's network: router, VPN gateway, service hosts"):
        service = VpnService.with_hosts(bench, owner)
        service.gateway.charon.told = functools.partial(_tell, progress)
        network = VpnNetwork.made(bench, owner, service.gateway, inside=table.interface)
        at = network.places[0].router
        cable.borrowed(bench, owner, Kind.IKE, table.interface, network.router.namespace, at)
        service.wait_ready()
    vpn = service.terms.table
    made = [Secret("IKE's", service.terms.secret)] if is_made(vpn.secret) else []
    made += [service.terms.account] if is_made(vpn.chap) else []
    return Served(
        network.router.namespace,
        service.hosts.control,
        str(service.hosts.ca),
        network.router.allowed,
        None,
        tuple(made),
    )


def _tell(progress: Progress, event: Event) -> None:
    """What becomes of the device's VPN, from charon's thread."""
    match event:
        case IkeUp():
            progress.note("IKE is up")
        case Rekeyed(_, lived, carried):
            progress.note(f"new keys for ESP; the old ones: {lived / 60:.1f} min, {carried} bytes")
        case Down():
            progress.note("the VPN is down")
        case Said(text):
            progress.detail(text)
