"""The gateway that the rig stands in for, as those see it who lead to it, and who look at what passes it."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Network

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace, has_ipv6
from rig.parts.gateway_fence import FenceView
from rig.parts.lig import lig
from rig.parts.lig.lig import LigLine, LigPlan
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

BACKBONE = (IPv4Interface("192.0.2.1/30"), IPv4Interface("192.0.2.2/30"))
"""The Ethernet between the gateway and the service hosts."""
GATEWAYS_END, HOSTS_END = "ibm0", "lig0"
ANYWHERE, ANYWHERE_IPV6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
IPV6_HOST = IPv6Address("fe80::2")


class EmulatedLig:
    """In a namespace of its own, joined to that of the service hosts; ``lines`` that it answers. ``control`` asks it,
    see lig.Lig; ``fence``: what it has put around its callers."""

    def __init__(self, bench: Bench, owner: Owner, hosts: NetworkNamespace, lines: tuple[LigLine, ...]) -> None:
        assert bench.lig is not None
        self._table = table = bench.lig
        self._owner = owner
        self._hosts = hosts
        self.namespace = owner.namespace("lig")
        self._join()
        destinations = load_destinations(bench)
        name = self.namespace.name
        self._plan = LigPlan(
            name, owner.folder, table.address, table.pool, destinations, table.names, lines, table.patience
        )
        self.control = Control(self._plan.control_path)
        self.fence = FenceView(self.namespace, self.control)

    def _join(self) -> None:
        gateway, servers = self.namespace, self._hosts
        gateway.join(GATEWAYS_END, servers, HOSTS_END)
        gateway.add_address(GATEWAYS_END, BACKBONE[0])
        servers.add_address(HOSTS_END, BACKBONE[1])
        servers.add_route(ANYWHERE, HOSTS_END, str(BACKBONE[0].ip))
        # So that what leaks is seen, wherever it goes.
        gateway.add_route(ANYWHERE, GATEWAYS_END, str(BACKBONE[1].ip))
        if has_ipv6():
            gateway.add_neighbour(GATEWAYS_END, IPV6_HOST, servers.hardware_address(HOSTS_END))
            gateway.add_route(ANYWHERE_IPV6, GATEWAYS_END, str(IPV6_HOST))

    def start(self) -> PartnerProcess:
        """:meth:`wait_ready` is the caller's."""
        log = self._owner.folder / "lig.log"
        self.process = self._owner.own(PartnerProcess("lig", lig.main, (self._plan,), log))
        return self.process

    def kill(self) -> None:
        """In the midst of what it does, with nothing taken down; it may be started again."""
        self.process.kill()

    def wait_ready(self) -> None:
        """Until it answers calls, broken where the bench has it so. Raises what keeps it from starting."""
        self.process.wait_ready()
        if self._table.broken:
            self.control.ask("set_mutant", name=self._table.broken)

    @property
    def behind(self) -> LinkEnd:
        """The service hosts' end of the line to it: where what leaks is seen."""
        return LinkEnd(self._hosts, HOSTS_END, self.namespace.hardware_address(GATEWAYS_END))
