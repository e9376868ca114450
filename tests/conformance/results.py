"""How a test takes the results of checks: every one that it names must be there, and hold."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rig.verdict.verdict import CheckResult


def require(results: Sequence[CheckResult]) -> None:
    """Each must hold. One that could not be run skips the test, with its reason: the rest is not what was asked."""
    assert results, "nothing was checked"
    for result in results:
        assert result.held is not False, f"{result.name} {result.target}: {result.observed}"
    not_run = [f"{result.name} {result.target}: {result.observed}" for result in results if result.held is None]
    if not_run:
        pytest.skip("; ".join(not_run))
