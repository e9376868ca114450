"""Waiting for what no event tells."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """How long it took. Raises AssertionError, which says ``what`` was waited for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited {seconds:g} s for {what}"
        time.sleep(EVERY_SECONDS)
    return time.monotonic() - began
