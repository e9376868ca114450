"""A far end that stands ready for a device under test, at a network interface of this machine's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.bench import Bench
from rig.config.destinations import Destinations
from rig.drivers.base.secret import Secret
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class Served:
    """``namespace``: where the interface is now; ``hosts``: asks the service hosts; ``ca``: who signs the servers'
    certificates; ``allowed``: what the device may reach from there; ``proxy``: its address and port, where there is
    one; ``accounts``: what was made for this run alone, and the device must know."""

    namespace: NetworkNamespace
    hosts: Control
    ca: str
    allowed: Destinations
    proxy: tuple[IPv4Address, int] | None = None
    accounts: tuple[Secret, ...] = ()


Serving = Callable[[Bench, Owner, Progress], Served]
