"""The making of a way home through a partition's VPN: the console, the partition, and the VPN's own far end."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from rig.config.bench import Bench
from rig.console.console import Console
from rig.console.networks import CARD, join_router
from rig.drivers.faults.messages import Kind
from rig.drivers.ipsec.association import Association
from rig.drivers.net import firewall
from rig.drivers.net.link_end import LinkEnd
from rig.links.l2tp_call import L2tpCall
from rig.links.making import borrower_of
from rig.links.remote_service import ServiceCall
from rig.parts.fence_rules import IPV6_RULES, SavedFence
from rig.parts.i5os.emulated import EmulatedPartition, near_address
from rig.parts.i5os.hop import HopPlan
from rig.paths.built import Places, Tap
from rig.paths.modem import ModemPath
from rig.paths.multi_hop import MultiHopPath
from rig.paths.up import Up
from rig.paths.vpn_beneath import VpnNetwork
from rig.paths.vpn_service import VpnService
from rig.run.cable import laid
from rig.run.capture import PARTITION, Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress

LOCAL = "hmc0"
"""The partition's interface towards the console."""


def partition_rules(console: IPv4Address, server: IPv4Address) -> str:
    """The partition's own firewall: L2TP from the console, from the gateway what was asked for and what has come
    through the VPN; nothing is sent on."""
    return (
        "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n"
        f"-A INPUT -i {LOCAL} -s {console}/32 -p udp --dport 1701 -j ACCEPT\n"
        f"-A INPUT -i {CARD} -s {server}/32 -p udp --dport 1701 -m policy --dir in --pol ipsec -j ACCEPT\n"
        f"-A INPUT -i {CARD} -s {server}/32 -p udp --dport 1701 -j DROP\n"
        f"-A INPUT -i {CARD} -s {server}/32 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n"
    )


@dataclass(frozen=True)
class BuiltMultiHop:
    """See Built."""

    bench: Bench
    path: MultiHopPath
    service: VpnService
    network: VpnNetwork
    partition: EmulatedPartition

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
        return self.path.call.near.console

    def service_call(self, name: str) -> ServiceCall:
        """Another session through the partition's VPN, and whom it is for."""
        home = self.path.call.near.link
        assert isinstance(home, L2tpCall)
        link = L2tpCall(home.tunnel, self.service.terms.table.timeout, name)
        return ServiceCall(link, functools.partial(link.dial, self.path.call.numbers[0]))

    def places(self, up: Up) -> Places:
        if up.underlay is None:
            return self.network.around(0, up)
        gateway = self.service.gateway
        towards, wire = gateway.fence.towards(up.source), self.network.near(0, up.underlay)
        hears, speaks = self.network.far()
        hop = LinkEnd(self.partition.namespace, LOCAL)
        taps = (Tap("the gateway", hears, speaks, towards),)
        return Places(LinkEnd(up.namespace, up.interface), gateway.behind, towards, wire=wire, taps=taps, hop=hop)

    def fence(self, up: Up) -> SavedFence | None:
        return self.service.gateway.fence.around(up.source) if up.underlay else self.network.router.fence()


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltMultiHop:
    """Everything started, nothing opened."""
    remote = bench.near_end.remote_modem
    assert remote is not None
    with progress.step("partition, customer's router, VPN gateway, service hosts"):
        service = VpnService.with_hosts(bench, owner)
        network = VpnNetwork.made(bench, owner, service.gateway)
        server, place = service.terms.table.server, network.places[0]
        hop = HopPlan(server, place.own.ip, service.terms.policy, service.terms.secret)
        partition = EmulatedPartition(bench, owner, None, hop)
        inside, there = network.router.namespace, IPv4Network(f"{server}/32")
        join_router(
            partition.namespace, place.own, inside, place.interface, place.router, there, laid(bench, owner, Kind.IKE)
        )
        firewall.apply(partition.namespace, partition_rules(near_address(remote.partition), server))
        firewall.apply(partition.namespace, IPV6_RULES, version=6)
        partition.start()
        near = borrower_of(owner, bench, remote, service.terms.account, progress, auth="chap")
        partition.attach(near.namespace)
        service.wait_ready()
    if capture is not None:
        capture.tap(owner, near.namespace, "i5os0", "to the partition")
        cable = LinkEnd(network.router.namespace, network.places[0].interface)
        capture.tap_cable(owner, cable, "the partition's, to the customer's router", PARTITION)
        capture.tap_keys(owner, partition.namespace, lambda: Path(partition.control.ask("log_keys")))

    def agreed_on() -> Association | None:
        found = partition.control.ask("agreed_on")
        return Association(**found) if found else None

    passes = network.router.allowed
    underlay = Up("internet", partition.namespace, CARD, place.own.ip, place.router.ip, (), 1500, passes)
    call = ModemPath(near, (hop.number,), service.terms.allowed)
    path = MultiHopPath(call, agreed_on, underlay, service.terms.table.policy)
    return BuiltMultiHop(bench, path, service, network, partition)
