"""`make test` of this build beside that of the one before it: once each, one after the other, in their worktrees."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.before import BEFORE, PROJECT, figure, prepare
from benchmarks.figures import Figure

TARGET = 0.6


def whole_tests(project: Path) -> float:
    began = time.monotonic()
    subprocess.run(["make", "test"], cwd=project, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def measure() -> list[Figure]:
    """Both set up before the clock starts."""
    prepare()
    theirs, ours = whole_tests(BEFORE), whole_tests(PROJECT)
    return [figure("make test", "s", 1.0, [ours], [theirs], TARGET)]
