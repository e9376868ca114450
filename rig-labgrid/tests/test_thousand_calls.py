"""Four benches make their calls four times as fast as one: `make farm-soak`, twenty minutes, outside CI."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import PROGRAMS, RIG, LoopbackFarm

BENCH = """
extends = "loopback-instant"
[exchange]
training = 3.0
"""
"""A line that waits rather than computes: of four calls at once each waits, and the machine has two processors."""
CALLS, OF_ONE = 1000, 100
TIMES = 3.2


def calls_a_minute(folder: Path, place: str, calls: int) -> float:
    """From the first call to the last: what the farm takes to have its benches ready is not counted."""
    ran = subprocess.run(
        [RIG, "soak", folder, "--place", f"place={place}", "--calls", str(calls), "--json"],
        text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=3000,
        env={**os.environ, "RIG_LABGRID": str(PROGRAMS / "rig-labgrid-farm")},
    )  # fmt: skip
    verdict = json.loads(ran.stdout)
    assert verdict["good"] == calls, ran.stderr[-2000:]
    return calls / took(verdict["calls"]) * 60


def took(calls: Sequence[dict]) -> float:
    """Seconds from when the first began to when the last had ended."""
    began = [time.mktime(time.strptime(call["started"][:19], "%Y-%m-%dT%H:%M:%S")) for call in calls]
    return max(at + call["total"] for at, call in zip(began, calls, strict=True)) - min(began)


@pytest.mark.skipif("RIG_LONG" not in os.environ, reason="twenty minutes: make farm-soak")
def test_four_benches_make_calls_at_three_times_the_rate_of_one(farm: LoopbackFarm, in_lab: Path) -> None:
    (in_lab / "bench.toml").write_text(BENCH)
    for name in ("alpha", "beta", "gamma", "delta"):
        farm.export(name, bench=str(in_lab / "bench.toml"))
        farm.place(name, place=name)
    one = calls_a_minute(in_lab / "one", "alpha", OF_ONE)
    four = calls_a_minute(in_lab / "four", "*", CALLS)
    print(f"{CALLS} calls on four benches: {four:.1f} a minute; {OF_ONE} on one: {one:.1f}; {four / one:.2f} times")
    assert four >= TIMES * one
