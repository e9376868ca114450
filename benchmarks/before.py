"""This build beside the one that it is to be faster than, on one machine, by turns: commands as a person types them.

The other is a worktree of its commit in build/before, set up by its own Makefile. Runs outside the lab.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, in_time, spread
from rig.drivers.base.program import parents

COMMIT = "7d88b2c"
"""The last commit before the lab started on every processor."""
PROJECT = Path(__file__).resolve().parents[1]
BEFORE = PROJECT / "build" / "before"
PAIRS = 5
DIAL = ("dial", "--number", "1-800-555-0100", "--bench", "loopback-instant", "--quiet")
BOUND = 300.0
SAMPLE_SECONDS = 0.05
COLD, WARM, MEMORY = 0.4, 0.15, 0.7


def prepare() -> None:
    """The other build, ready to run."""
    if not BEFORE.exists():
        subprocess.run(["git", "worktree", "add", "--detach", str(BEFORE), COMMIT], cwd=PROJECT, check=True)
    subprocess.run(["make", "--quiet", "setup"], cwd=BEFORE, check=True, stdout=subprocess.DEVNULL)


def rig(project: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "RIG_LAB"}
    return subprocess.Popen([str(project / ".venv/bin/rig"), *words], cwd=project, env=environment)


def seconds(project: Path, *words: str) -> float:
    """From Enter to the prompt."""
    began = time.monotonic()
    _succeed(rig(project, *words))
    return time.monotonic() - began


def _succeed(process: subprocess.Popen[bytes]) -> None:
    if process.wait(BOUND) != 0:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")


def peak(project: Path, *words: str) -> float:
    """The most bytes that a command and all that it starts have at one time, each page counted once (PSS, proc(5))."""
    most = 0
    with rig(project, *words) as process:
        while True:
            try:
                process.wait(SAMPLE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                most = max(most, sum(map(_held, _family(process.pid))))
    _succeed(process)
    return float(most)


def _family(pid: int) -> set[int]:
    """A process and its descendants."""
    begun_by, found = parents(), {pid}
    while more := {child for child, parent in begun_by.items() if parent in found} - found:
        found |= more
    return found


def _held(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@contextlib.contextmanager
def guest_up() -> Iterator[None]:
    _succeed(rig(PROJECT, "lab", "up"))
    try:
        yield
    finally:
        _succeed(rig(PROJECT, "lab", "down"))


def figure(name: str, unit: str, scale: float, ours: Sequence[float], theirs: Sequence[float], target: float) -> Figure:
    """What was measured in pairs, where less is better, and whether the ratio of a typical pair reaches its target."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    peer = in_time(f"commit {COMMIT}", ours, theirs, unit, scale)
    said = f"{ratio:.2f} of it ({min(ratios):.2f}-{max(ratios):.2f})"
    missed = "" if ratio <= target else f", {ratio / target - 1:.0%} more than the target"
    return Figure(name, spread(ours, unit, scale), said + missed, f"at most {target:g} of it", ratio <= target, peer)


def measure() -> list[Figure]:
    """By turns, so that a noisy machine is noisy for both."""
    prepare()
    before, cold, warm, most_before, most = [], [], [], [], []
    for _ in range(PAIRS):
        before.append(seconds(BEFORE, *DIAL))
        cold.append(seconds(PROJECT, *DIAL))
        with guest_up():
            warm.append(seconds(PROJECT, *DIAL))
        most_before.append(peak(BEFORE, *DIAL))
        most.append(peak(PROJECT, *DIAL))
    name = "rig dial --bench loopback-instant, from Enter to the prompt"
    return [
        figure(f"{name}, cold", "s", 1.0, cold, before, COLD),
        figure(f"{name}, with a guest up", "s", 1.0, warm, before, WARM),
        figure("peak memory of that, guest included, cold", "MB", 1e-6, most, most_before, MEMORY),
    ]
