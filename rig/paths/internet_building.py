"""The making of a way home over the Internet: the console's cards, the customer's router, the servers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.console.console import Console
from rig.console.networks import CARD, SECOND_CARD, ManagedSystem, join_managed_system, join_router
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.drivers.net.link_end import LinkEnd
from rig.parts.fence_rules import SavedFence
from rig.parts.router.rules import INSIDE, OUTSIDE
from rig.paths.built import Places
from rig.paths.customers_network import OUTSIDE_CARD, CustomersNetwork
from rig.paths.internet import InternetPath
from rig.paths.served import Served
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class BuiltInternet:
    """See Built. ``managed``: the system on the console's second card, where there is one."""

    bench: Bench
    path: InternetPath
    ca: str
    watch: Control
    network: CustomersNetwork
    managed: ManagedSystem | None
    pool: IPv4Network | None = None

    def places(self, up: Up) -> Places:
        console, router, hosts = up.namespace, self.network.router.namespace, self.network.hosts.namespace
        local = managed = None
        if self.managed is not None:
            local = LinkEnd(self.managed.namespace, self.managed.interface, console.hardware_address(SECOND_CARD))
            managed = self.managed.address
        return Places(
            LinkEnd(console, CARD, router.hardware_address(INSIDE)),
            LinkEnd(hosts, OUTSIDE_CARD, router.hardware_address(OUTSIDE)),
            LinkEnd(router, INSIDE, console.hardware_address(CARD)),
            local,
            managed,
            self.network.outside.ip,
        )

    def fence(self, up: Up) -> SavedFence | None:
        return self.network.router.fence()


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltInternet:
    """Everything started, nothing opened."""
    table = bench.internet
    assert table is not None
    allowed = load_destinations(bench)
    with progress.step("customer's network: router, service hosts"):
        network = CustomersNetwork.made(bench, owner, allowed, table.console.ip)
        console = Console.owned_by(owner, bench.near_end.allow)
        at = IPv4Interface(f"{table.router}/{table.console.network.prefixlen}")
        join_router(console.namespace, table.console, network.router.namespace, INSIDE, at)
        managed = join_managed_system(owner, console.namespace, table.local_network) if table.local_network else None
        if network.router.mutant is not None and network.router.mutant.cards_joined:
            console.namespace.forward()
    if capture is not None:
        capture.tap(owner, console.namespace, CARD, "to the customer's router")
    path = InternetPath(console, table.console.ip, table.router, allowed, progress)
    hosts = network.hosts
    return BuiltInternet(bench, path, str(hosts.ca), hosts.control, network, managed)


def serve(bench: Bench, owner: Owner, progress: Progress) -> Served:
    """The router stands ready for a device, which is the console."""
    table = bench.internet
    assert table is not None
    with progress.step("customer's network: router, service hosts"):
        network = CustomersNetwork.made(bench, owner, load_destinations(bench), table.console.ip, table.interface)
        at = IPv4Interface(f"{table.router}/{table.console.network.prefixlen}")
        owner.own(BorrowedInterface(table.interface, network.router.namespace, at))
    return Served(network.router.namespace, network.hosts.control, str(network.hosts.ca), network.router.allowed)
