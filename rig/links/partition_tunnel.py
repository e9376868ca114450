"""The tunnel to an i5/OS partition, for as many calls as its modems, or its VPN, carry: there while one wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rig.config.bench import RemoteModemTable
from rig.drivers.base.shared import Shared
from rig.drivers.net.namespace import NetworkNamespace
from rig.links.lns import Lns
from rig.run.progress import Progress


class PartitionTunnel:
    """``secret`` of the tunnel, asked for as it is opened."""

    def __init__(
        self, table: RemoteModemTable, secret: Callable[[], bytes], namespace: NetworkNamespace, progress: Progress
    ) -> None:
        self.table = table
        self.progress = progress
        self._secret = secret
        self._namespace = namespace
        self._there = Shared(self._opened)
        self._lns: Lns | None = None

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Have it up meanwhile. Raises as Lns does."""
        return self._there.held()

    @property
    def lns(self) -> Lns:
        """It, while it is up."""
        assert self._lns is not None
        return self._lns

    @property
    def up(self) -> bool:
        return self._lns is not None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        with self.progress.step(f"L2TP tunnel to {self.table.partition}"):
            lns = self._lns = Lns(self.table, self._secret(), self._namespace, self.progress.trace)
        try:
            yield
        finally:
            self._lns = None
            lns.close()
