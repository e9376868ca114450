"""A bench's far end, `rig partner`, as its exporter runs it while the bench is acquired."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from rig_farm.ending import with_parent

END_SECONDS = 20.0
"""It takes that long at most to take itself down."""


class FarEnd:
    """Runs from here to :meth:`end`. ``said``: the file in which its words are; it says there when it is ready, and why
    it has ended, should it."""

    def __init__(self, rig: str, partner: str, said: Path) -> None:
        self.said = said
        with said.open("wb") as output:
            self._process = subprocess.Popen(
                [*with_parent("TERM"), rig, "partner", *shlex.split(partner)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> bool:
        """Whether it took itself down; it is killed where it does not."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True
