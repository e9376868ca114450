"""A way home through a VPN whose gateway is a device under test (§2.1.3): the console stands at an interface of this
machine's, and what is beyond that is not the rig's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.console.console import Console
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.drivers.net.link_end import LinkEnd
from rig.parts.fence_rules import SavedFence
from rig.paths.built import Places
from rig.paths.internet import InternetPath
from rig.paths.up import Up
from rig.paths.vpn import VpnPath, console_end
from rig.paths.vpn_beneath import services
from rig.paths.vpn_terms import VpnTerms
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class BuiltToDevice:
    """See Built. Nobody can look, or stand, at the other end."""

    bench: Bench
    path: VpnPath
    watch: None = None

    @property
    def ca(self) -> str:
        return self.bench.expect.ca

    @property
    def pool(self) -> IPv4Network | None:
        return self.bench.expect.pool

    def places(self, up: Up) -> Places:
        return Places(LinkEnd(up.namespace, up.interface))

    def fence(self, up: Up) -> SavedFence | None:
        return None


def build(bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None) -> BuiltToDevice:
    """Everything started, nothing opened. Raises UsageError as BorrowedInterface does, and for a secret that cannot be
    had."""
    table, terms = bench.internet, VpnTerms.of(bench)
    assert table is not None
    server, interface = terms.table.server, terms.table.interface
    console = Console.owned_by(owner, bench.near_end.allow)
    owner.own(BorrowedInterface(interface, console.namespace, table.console))
    if server not in table.console.network:
        console.namespace.add_route(IPv4Network(f"{server}/32"), interface, str(table.router))
    passes = replace(load_destinations(bench), servers=(), name_servers=(), anybody=False, vpn=services(table))
    beneath = InternetPath(console, table.console.ip, table.router, passes, progress, interface)
    path, charon = console_end(bench, terms, beneath, console, owner, progress)
    charon.wait_ready()
    if capture is not None:
        capture.tap(owner, console.namespace, interface, "to the VPN gateway, with what has been decrypted")
        capture.tap_keys(owner, console.namespace, charon.log_keys)
    return BuiltToDevice(bench, path)
