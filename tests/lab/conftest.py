"""The lab's tests share one emulated far end, on an instant line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.traces import left_behind


@pytest.fixture
def nothing_new_is_left() -> Callable[[], dict[str, list[str]]]:
    """Call it at the end: what is there now and was not at the beginning."""
    before = left_behind()

    def compare() -> dict[str, list[str]]:
        after = left_behind()
        return {kind: new for kind in after if (new := [name for name in after[kind] if name not in before[kind]])}

    return compare
