"""A bench as an exporter shares it: leased, and with its far end running, as long as it is acquired."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import attr
from labgrid.remote.exporter import ResourceExport

from rig_labgrid.far_end import FarEnd
from rig_labgrid.lease import Held, Lease, state_folder
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
        self._held: Held | None = None
        self._far_end: FarEnd | None = None

    @property
    def _name(self) -> str:
        """Of its files, one for each bench that this machine has."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.local.bench.removesuffix(".toml"))

    def _get_params(self) -> dict[str, Any]:
        runner = Path(sys.executable).with_name("rig-on-bench")
        lease = state_folder() / f"{self._name}.lease"
        return {"host": self.host, "runner": str(runner), "lease": str(lease), "bench": self.local.bench}

    def _get_start_params(self) -> dict[str, Any]:
        return {"lease": self._get_params()["lease"]}

    def _start(self, start_params: dict[str, Any]) -> None:
        path = Path(start_params["lease"])
        path.parent.mkdir(parents=True, exist_ok=True)
        rig = str(Path(shutil.which(self.local.rig) or self.local.rig).absolute())
        if self.local.partner:
            self._far_end = FarEnd(rig, self.local.partner, path.with_suffix(".far-end"))
        far_end = (str(self._far_end.said), self._far_end.pid) if self._far_end is not None else ("", 0)
        try:
            self._held = Held(path, Lease(str(self.acquired), self.local.bench, rig, time.time(), *far_end))
        except BaseException:
            self._stop(start_params)
            raise

    def _stop(self, start_params: dict[str, Any]) -> None:
        if self._held is not None:
            self._held.end()
            self._held = None
        if self._far_end is not None:
            if not self._far_end.end():
                self.logger.warning("the far end did not take itself down, and was killed")
            self._far_end = None

    def end(self) -> None:
        """With its exporter: nothing is left running."""
        if self.start_params is not None:
            self.stop()
