"""`make test` of this build beside that of the one before it: once each, one after the other, in their worktrees."""

from __future__ import annotations

from benchmarks.before import BEFORE, PROJECT, TESTS, figure, prepare, whole_tests
from benchmarks.figures import Figure


def measure() -> list[Figure]:
    """Both set up before the clock starts."""
    prepare()
    theirs, ours = whole_tests(BEFORE), whole_tests(PROJECT)
    return [figure("make test", "s", 1.0, [ours], [theirs], TESTS)]
