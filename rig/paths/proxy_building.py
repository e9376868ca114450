"""The making of a way home through a proxy: the console, the proxy's machine, and the customer's router behind that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network

from rig.config.bench import Bench, ProxyTable
from rig.config.bench_files import load_destinations
from rig.config.secret_files import is_made, secret_value
from rig.console.console import Console
from rig.console.networks import CARD, SECOND_CARD, ManagedSystem, join_managed_system, join_router
from rig.drivers.base.errors import UsageError
from rig.drivers.base.secret import Secret
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.fence_rules import SavedFence
from rig.parts.proxy import proxy as part
from rig.parts.proxy.proxy import Proxy
from rig.parts.proxy.settings import ProxyPlan
from rig.parts.router import rules as router
from rig.paths.built import Places
from rig.paths.customers_network import OUTSIDE_CARD, CustomersNetwork
from rig.paths.proxy import ProxyPath, Tunnels
from rig.paths.served import Served
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress

ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class BuiltProxy:
    """See Built. ``proxy``: the program, and its machine; ``managed``: the system on the second card, if any."""

    bench: Bench
    path: ProxyPath
    ca: str
    watch: Control
    proxy: Proxy
    network: CustomersNetwork
    managed: ManagedSystem | None
    pool: IPv4Network | None = None

    def places(self, up: Up) -> Places:
        console, machine, hosts = up.namespace, self.proxy.namespace, self.network.hosts.namespace
        local = managed = None
        if self.managed is not None:
            local = LinkEnd(self.managed.namespace, self.managed.interface, console.hardware_address(SECOND_CARD))
            managed = self.managed.address
        return Places(
            LinkEnd(console, CARD, machine.hardware_address(part.INSIDE)),
            LinkEnd(hosts, OUTSIDE_CARD, self.network.router.namespace.hardware_address(router.OUTSIDE)),
            LinkEnd(machine, part.INSIDE, console.hardware_address(CARD)),
            local,
            managed,
            self.network.outside.ip,
            self.proxy.logs,
        )

    def fence(self, up: Up) -> SavedFence | None:
        return self.network.router.fence()


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltProxy:
    """Everything started, nothing opened."""
    table, proxy = bench.internet, bench.proxy
    assert table is not None
    assert proxy is not None
    with progress.step(f"customer's network: {proxy.engine}, router, service hosts"):
        network, machine = _network(bench, owner, proxy)
        console = Console.owned_by(owner, bench.near_end.allow)
        at = IPv4Interface(f"{table.router}/{table.console.network.prefixlen}")
        join_router(console.namespace, table.console, machine, part.INSIDE, at)
        managed = join_managed_system(owner, console.namespace, table.local_network) if table.local_network else None
        running = _started(bench, owner, proxy, machine, progress)
    if capture is not None:
        capture.tap(owner, console.namespace, CARD, "to the customer's proxy")
    plan = running.plan
    tunnels = Tunnels(plan.address, plan.port, plan.account, first=proxy.credentials == "first")
    path = ProxyPath(console, table.console.ip, tunnels, plan.allowed, progress)
    hosts = network.hosts
    return BuiltProxy(bench, path, str(hosts.ca), hosts.control, running, network, managed)


def serve(bench: Bench, owner: Owner, progress: Progress) -> Served:
    """The proxy stands ready for a device, which is the console."""
    table, proxy = bench.internet, bench.proxy
    assert table is not None
    assert proxy is not None
    with progress.step(f"customer's network: {proxy.engine}, router, service hosts"):
        network, machine = _network(bench, owner, proxy)
        at = IPv4Interface(f"{table.router}/{table.console.network.prefixlen}")
        owner.own(BorrowedInterface(table.interface, machine, at))
        running = _started(bench, owner, proxy, machine, progress, table.interface)
    plan = running.plan
    made = (plan.account,) if plan.account is not None and is_made(proxy.secret) else ()
    return Served(
        machine, network.hosts.control, str(network.hosts.ca), network.router.allowed, (plan.address, plan.port), made
    )


def _network(bench: Bench, owner: Owner, proxy: ProxyTable) -> tuple[CustomersNetwork, NetworkNamespace]:
    """The router, and the proxy's machine joined to it."""
    network = CustomersNetwork.made(bench, owner, load_destinations(bench), proxy.address.ip)
    machine = owner.namespace("proxy")
    gateway = next(host for host in proxy.address.network.hosts() if host != proxy.address.ip)
    machine.join(part.OUTSIDE, network.router.namespace, router.INSIDE)
    machine.add_address(part.OUTSIDE, proxy.address)
    at = IPv4Interface(f"{gateway}/{proxy.address.network.prefixlen}")
    network.router.namespace.add_address(router.INSIDE, at)
    machine.add_route(ANYWHERE, part.OUTSIDE, str(gateway))
    return network, machine


def _started(
    bench: Bench,
    owner: Owner,
    proxy: ProxyTable,
    machine: NetworkNamespace,
    progress: Progress,
    inside: str = part.INSIDE,
) -> Proxy:
    """The proxy, once it takes connections at the console's end of its machine."""
    assert bench.internet is not None
    folder = owner.folder / "proxy"
    folder.mkdir(mode=0o700)
    allowed = replace(load_destinations(bench), anybody=not proxy.limited)
    address, account = bench.internet.router, _credentials(bench, proxy)
    plan = ProxyPlan(machine.name, address, proxy.port, allowed, account, folder)
    running = owner.own(Proxy(machine, proxy.engine, plan, progress.detail, inside))
    running.wait_ready()
    return running


def _credentials(bench: Bench, proxy: ProxyTable) -> Secret | None:
    if not proxy.account:
        return None
    secret = secret_value(bench, "proxy.secret", proxy.secret, secrets.token_urlsafe(18))
    if not secret.isprintable() or set(secret) & set(' \t"#'):
        raise UsageError(
            f"bench {bench.name}: the secret of the proxy may hold no blanks, quotes and #: its file has words"
        )
    return Secret(proxy.account, secret)
