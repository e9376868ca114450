"""A far end that stands ready for a device under test, at a network interface of this machine's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from drivers.base.secret import Secret
from drivers.net.namespace import NetworkNamespace
from rig.config.bench import Bench
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class Served:
    """``namespace``: where the interface is now; ``ca``: who signs the servers' certificates; ``proxy``: its address
    and port, and ``account``: who may use it, where there is one."""

    namespace: NetworkNamespace
    ca: str
    proxy: tuple[IPv4Address, int] | None = None
    account: Secret | None = None


Serving = Callable[[Bench, Owner, Progress], Served]
