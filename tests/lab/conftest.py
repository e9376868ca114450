"""The lab's tests share one emulated far end, on an instant line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.traces import left_behind, new_since


@pytest.fixture
def nothing_new_is_left() -> Callable[[], dict[str, list[str]]]:
    """Call it at the end: what is there now and was not at the beginning."""
    before = left_behind()
    return lambda: new_since(before)
