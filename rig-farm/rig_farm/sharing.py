"""A bench as whoever exports it has it: leased, and with its far end running, as long as somebody has it."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from rig_farm.far_end import FarEnd
from rig_farm.lease import Held, Lease, state_folder

RUNNER = Path(sys.executable).with_name("rig-on-bench")
"""Runs the rig on a bench, for who has its lease."""


class SharedBench:
    """``bench``: a bench file's path, or a shipped bench's name; ``rig``: the program, by its path or as PATH has it;
    ``partner``: what follows ``rig partner``, where a far end is to run as long as the bench is had."""

    def __init__(self, bench: str, rig: str = "rig", partner: str = "") -> None:
        self.bench, self.rig, self.partner = bench, rig, partner
        self._held: Held | None = None
        self._far_end: FarEnd | None = None

    @property
    def available(self) -> bool:
        """While its file and its rig are there."""
        shipped = not self.bench.endswith(".toml")
        return shutil.which(self.rig) is not None and (shipped or Path(self.bench).is_file())

    @property
    def had(self) -> bool:
        """Whether somebody has it, by way of this."""
        return self._held is not None

    @property
    def lease(self) -> Path:
        """The file of its lease: one for each bench that this machine has, whoever exports it."""
        name = "".join(letter if letter.isalnum() else "-" for letter in self.bench.removesuffix(".toml"))
        return state_folder() / f"{name}.lease"

    def take(self, by: str) -> None:
        """``by``: who has it, as its lease says. Its far end need not come up: whoever arms it is told.

        Raises LeaseError where another exporter has leased the same bench, OSError.
        """
        path = self.lease
        path.parent.mkdir(parents=True, exist_ok=True)
        rig = str(Path(shutil.which(self.rig) or self.rig).absolute())
        if self.partner:
            self._far_end = FarEnd(rig, self.partner, path.with_suffix(".far-end"))
        far_end = (str(self._far_end.said), self._far_end.pid) if self._far_end is not None else ("", 0)
        try:
            self._held = Held(path, Lease(by, self.bench, rig, time.time(), *far_end))
        except BaseException:
            self.end()
            raise

    def end(self) -> bool:
        """Nothing is left running; whether its far end took itself down, and had not to be killed."""
        held, self._held = self._held, None
        if held is not None:
            held.end()
        far_end, self._far_end = self._far_end, None
        return far_end is None or far_end.end()
