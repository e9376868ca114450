"""The service hosts of a bench, as those see them who lead to them."""

from __future__ import annotations

from ipaddress import IPv4Address

from rig.config.bench import Bench
from rig.config.bench_files import catalogue_file, forbidden_file, load_fence_file
from rig.parts.hosts import hosts
from rig.parts.hosts.hosts import HostsPlan
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess


class EmulatedHosts:
    """In a namespace of their own, on whose ``interface`` they are reached. ``ca`` signs their certificates;
    ``control`` is asked what has arrived, see hosts.ArrivalLog."""

    def __init__(self, bench: Bench, owner: Owner, interface: str) -> None:
        self.namespace = owner.namespace("ibm")
        self.interface = interface
        self._owner = owner
        self._plan = HostsPlan(
            self.namespace.name, owner.folder, addresses(bench), bench.hosts.tls, interface, catalogue_file(bench),
            bench.hosts.broken, forbidden_file(bench),
        )  # fmt: skip
        self.ca = self._plan.ca
        self.control = Control(self._plan.control_path)

    def start(self) -> PartnerProcess:
        """Once it is joined to who leads to it; ``wait_ready()`` is the caller's."""
        log = self._owner.folder / "hosts.log"
        self.process = self._owner.own(PartnerProcess("hosts", hosts.main, (self._plan,), log))
        return self.process


def addresses(bench: Bench) -> tuple[IPv4Address, ...]:
    """All of §5.1, and the hosts outside the fence."""
    regions = load_fence_file(bench.fence).servers
    found = {address for servers in regions.values() for address in servers}
    if bench.expect.unauthorized_host:
        found.add(bench.expect.unauthorized_host)
    return tuple(sorted(found))
