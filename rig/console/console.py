"""The side that calls home, whatever way it takes: a namespace of its own, behind its own firewall (§2.1.1)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from rig.config.bench import AllowTable
from rig.console import firewall
from rig.console.partitions import PartitionRouting
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.owner import Owner


@dataclass
class Console:
    """``namespace``: where its interfaces are; ``folder``: for the files of what runs in it."""

    namespace: NetworkNamespace
    folder: Path
    _counted: bool = False

    @functools.cached_property
    def routing(self) -> PartitionRouting:
        """The ways to the partitions behind it, of all its calls."""
        return PartitionRouting(self.namespace)

    @classmethod
    def owned_by(cls, owner: Owner, allow: tuple[AllowTable, ...], role: str = "hmc") -> Console:
        """A new one; ``allow``: what its customer lets in. Its owner takes it down."""
        namespace = owner.namespace(role)
        firewall.put_up(namespace, allow)
        return cls(namespace, owner.folder)

    def begin_to_count(self) -> None:
        """Have its firewall count from here, for the next call; the first finds the counters as they were made."""
        if self._counted:
            firewall.begin_to_count(self.namespace)
        self._counted = True
