"""The gateway's fence, by every probe (§3.1, §5.1): what may pass does, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.jobs.fence_check import category_checks

from .results import require

if TYPE_CHECKING:
    from rig.fixtures.line import Line
    from rig.verdict.verdict import CheckResult

ALLOWED = ("authorized server", "utility service")


@pytest.fixture(scope="module")
def categories(_line: Line) -> Iterator[list[CheckResult]]:
    """Each category of the probes over one session, as one result."""
    with _line.opened():
        yield category_checks(_line.call().start_ppp().probes().run())


@pytest.mark.paper("3.1", "5.1")
@pytest.mark.parametrize("category", ALLOWED)
def test_what_the_fence_lets_through_passes(categories: list[CheckResult], category: str) -> None:
    require([result for result in categories if result.name == f"fence: {category}"])


@pytest.mark.paper("3.1")
def test_nothing_else_passes(categories: list[CheckResult]) -> None:
    """Catches a fence with a hole; on a real gateway, where silence decides nothing, it says what could not be seen."""
    require([result for result in categories if result.name.removeprefix("fence: ") not in ALLOWED])
