"""`make test` of this build beside that of the one before it: once each, one after the other, in their worktrees.

Each build has its own tests, so what a test takes is told besides.
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from benchmarks.before import BEFORE, PROJECT, Measured, prepare
from benchmarks.figures import Figure

TARGET = 0.6
PASSED = re.compile(r"\b(\d+) passed")


def whole_tests(project: Path, log: Path) -> tuple[float, int]:
    """Seconds of `make test`, and how many tests have passed in it. Raises CalledProcessError; ``log`` says what of."""
    began = time.monotonic()
    with log.open("w") as written:
        subprocess.run(["make", "test"], cwd=project, check=True, stdout=written, stderr=subprocess.STDOUT)
    return time.monotonic() - began, sum(map(int, PASSED.findall(log.read_text(errors="replace"))))


def measure() -> list[Figure]:
    """Both set up before the clock starts."""
    prepare()
    results = PROJECT / "results"
    theirs, those = whole_tests(BEFORE, results / "make-test-before.log")
    ours, these = whole_tests(PROJECT, results / "make-test.log")
    why = f"{these} tests, where there were {those}: what has been built since is tested too"
    return [
        Measured("make test", "s", 1.0, TARGET, why, [ours], [theirs]).figure(),
        Measured("make test, for each of its tests", "s", 1.0, TARGET, "", [ours / these], [theirs / those]).figure(),
    ]
