"""The farm's numbers, on a machine that does nothing else: `make farm-soak`, twenty minutes, outside CI."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import LoopbackFarm
from programs import PROGRAMS, RIG
from rig_labgrid.places import farm as session

BENCH = """
extends = "loopback-instant"
[exchange]
training = 3.0
"""
"""A line that waits rather than computes: of four calls at once each waits, and the machine has two processors."""
CALLS, OF_ONE = 1000, 100
TIMES = 3.2
LATER_SECONDS = 2.0

pytestmark = pytest.mark.skipif("RIG_LONG" not in os.environ, reason="twenty minutes by itself: make farm-soak")


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


def test_four_benches_make_calls_at_three_times_the_rate_of_one(farm: LoopbackFarm, in_lab: Path) -> None:
    (in_lab / "bench.toml").write_text(BENCH)
    for name in ("alpha", "beta", "gamma", "delta"):
        farm.export(name, bench=str(in_lab / "bench.toml"))
        farm.place(name, place=name)
    one = calls_a_minute(in_lab / "one", "alpha", OF_ONE)
    four = calls_a_minute(in_lab / "four", "*", CALLS)
    print(f"{CALLS} calls on four benches: {four:.1f} a minute; {OF_ONE} on one: {one:.1f}; {four / one:.2f} times")
    assert four >= TIMES * one


def test_acquiring_and_dialling_takes_hardly_longer_than_dialling_here(farm: LoopbackFarm) -> None:
    farm.export("alpha", bench="loopback-instant")
    farm.place("alpha")
    words = ["--number", "1-800-555-0100"]
    later = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([RIG, "dial", *words, "--bench", "loopback-instant"], check=True, capture_output=True)
        here = time.monotonic() - began
        began = time.monotonic()
        with session() as found, found.had("alpha") as bench:
            bench.run("dial", words).check()
            later.append(time.monotonic() - began - here)
    typical = statistics.median(later)
    print(f"acquired and dialled {typical:.2f} s later than here ({min(later):.2f} to {max(later):.2f})")
    assert typical < LATER_SECONDS
