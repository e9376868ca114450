"""A bench as an exporter shares it: leased, and with its far end running, as long as it is acquired."""

from __future__ import annotations

from typing import Any, ClassVar

import attr
from labgrid.remote.exporter import ResourceExport
from rig_farm.sharing import RUNNER

from rig_labgrid.resource import RigBench


@attr.s(eq=False)
class RigBenchExport(ResourceExport):
    """`RigBench` in an exporter's configuration, `NetworkRigBench` to its clients.

    labgrid takes a bench whose start has failed out of the farm until its exporter is started anew. So a far end that
    does not come up is no failure of the start: whoever arms the bench is told.
    """

    exported: ClassVar[list[RigBenchExport]] = []
    """Of this exporter."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.exported.append(self)
        of_labgrid: dict[str, Any] = {"target": None, "name": None}
        self.local = RigBench(**of_labgrid, **self.local_params)
        self.data["cls"] = "NetworkRigBench"

    def _get_params(self) -> dict[str, Any]:
        lease = str(self.local.shared.lease)
        return {"host": self.host, "runner": str(RUNNER), "lease": lease, "bench": self.local.bench}

    def _get_start_params(self) -> dict[str, Any]:
        return {"lease": self._get_params()["lease"]}

    def _start(self, start_params: dict[str, Any]) -> None:
        self.local.shared.take(str(self.acquired))

    def _stop(self, start_params: dict[str, Any]) -> None:
        if not self.local.shared.end():
            self.logger.warning("the far end did not take itself down, and was killed")

    def end(self) -> None:
        """With its exporter: nothing is left running."""
        if self.start_params is not None:
            self.stop()
