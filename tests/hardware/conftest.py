"""These tests need a modem on a bench of one's own; without one each says why it is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rig.bench import Bench


@pytest.fixture(autouse=True)
def real_bench(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--bench"):
        pytest.skip("no bench with real hardware was named: --bench FILE --number N")
    bench: Bench = request.getfixturevalue("bench")
    if bench.emulated:
        pytest.skip(f"bench {bench.name} is emulated; its modem is tested in tests/lab and tests/usb")
