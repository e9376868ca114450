"""These tests need a modem on a bench of one's own; without one each says why it is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.config.bench_files import load


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: they would look for a lab first."""
    if Path(__file__).parent not in item.path.parents:
        return
    name = item.config.getoption("--bench")
    if not name:
        pytest.skip("no bench with real hardware was named: --bench FILE --number N")
    if load(name).emulated:
        pytest.skip(f"bench {name} is emulated; its modem is tested in tests/lab and tests/usb")
