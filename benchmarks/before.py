"""This build beside the one that it is to be faster than, on one machine, by turns: commands as a person types them.

The other is a worktree of its commit in build/before, set up by its own Makefile. It knows Debian's kernel alone; this
one is measured on that and, where `make kernel` has built one, on its own. Runs outside the lab.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, in_time, notes, over, spread
from rig.drivers.base.program import parents
from rig.lab import uml_kernel

COMMIT = "7d88b2c"
"""The last commit before the lab started on every processor."""
PROJECT = Path(__file__).resolve().parents[1]
BEFORE = PROJECT / "build" / "before"
PAIRS = 5
DIAL = ("dial", "--number", "1-800-555-0100", "--bench", "loopback-instant", "--quiet")
BOUND = 300.0
SAMPLE_SECONDS = 0.05
COLD, WARM, MEMORY = 0.4, 0.15, 0.7
DEBIANS, OWN = ({uml_kernel.CHOSEN: kernel} for kernel in (uml_kernel.NAME, ""))
"""For the environment: Debian's kernel, whatever has been built here; the one that was built here."""
WHY_COLD = (
    "of thirteen seconds on Debian's kernel the guest's start has two and a half, Python's imports in it as many, and "
    "the start of the far end's three processes four and a half: system calls and page faults, each of which stops the "
    "program"
)
WHY_WARM = "Python's imports are left, and the far end's processes and two pppd, each of which is a fork of Python"
WHY_MEMORY = "the guest's kernel, and five processes of Python in it, of which a fork shares little after a while"


def prepare() -> None:
    """The other build, ready to run."""
    if not BEFORE.exists():
        subprocess.run(["git", "worktree", "add", "--detach", str(BEFORE), COMMIT], cwd=PROJECT, check=True)
    subprocess.run(["make", "--quiet", "setup"], cwd=BEFORE, check=True, stdout=subprocess.DEVNULL)


def rig(project: Path, *words: str, kernel: Mapping[str, str] = OWN) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "RIG_LAB"} | {**kernel}
    return subprocess.Popen([str(project / ".venv/bin/rig"), *words], cwd=project, env=environment)


def seconds(project: Path, *words: str, kernel: Mapping[str, str] = OWN) -> float:
    """From Enter to the prompt."""
    began = time.monotonic()
    _succeed(rig(project, *words, kernel=kernel))
    return time.monotonic() - began


def _succeed(process: subprocess.Popen[bytes]) -> None:
    if process.wait(BOUND) != 0:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")


def peak(project: Path, *words: str, kernel: Mapping[str, str] = OWN) -> float:
    """The most bytes that a command and all that it starts have at one time, each page counted once (PSS, proc(5))."""
    most = 0
    with rig(project, *words, kernel=kernel) as process:
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
def guest_up(kernel: Mapping[str, str]) -> Iterator[None]:
    _succeed(rig(PROJECT, "lab", "up", kernel=kernel))
    try:
        yield
    finally:
        _succeed(rig(PROJECT, "lab", "down", kernel=kernel))


@dataclass(frozen=True)
class Measured:
    """A figure of both builds in pairs, where less is better; ``why`` it is missed, should it be."""

    name: str
    unit: str
    scale: float
    target: float
    why: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def figure(self) -> Figure:
        """Whether the ratio of a typical pair reaches the target; by how much it does not, and why."""
        ratios = [one / other for one, other in zip(self.ours, self.theirs, strict=True)]
        ratio = statistics.median(ratios)
        said = f"{ratio:.2f} of it ({min(ratios):.2f}-{max(ratios):.2f})"
        missed = over(ratio, self.target, self.why)
        peer = in_time(f"commit {COMMIT}", self.ours, self.theirs, self.unit, self.scale)
        measured, target = spread(self.ours, self.unit, self.scale), f"at most {self.target:g} of it"
        return Figure(self.name, measured, notes(said, missed), target, ratio <= self.target, peer)


def on(kernel: str) -> list[Measured]:
    """What is measured on one kernel."""
    dial = "rig dial --bench loopback-instant, from Enter to the prompt"
    return [
        Measured(f"{dial}, cold, {kernel}", "s", 1.0, COLD, WHY_COLD),
        Measured(f"{dial}, with a guest up, {kernel}", "s", 1.0, WARM, WHY_WARM),
        Measured(f"peak memory of that, guest included, cold, {kernel}", "MB", 1e-6, MEMORY, WHY_MEMORY),
    ]


def measure() -> list[Figure]:
    """By turns, so that a noisy machine is noisy for all."""
    prepare()
    kernels = [(DEBIANS, on("Debian's kernel"))]
    if uml_kernel.built().exists():
        kernels.append((OWN, on("the kernel of make kernel")))
    for _ in range(PAIRS):
        before, most_before = seconds(BEFORE, *DIAL), peak(BEFORE, *DIAL)
        for kernel, (cold, warm, memory) in kernels:
            for measured, theirs in ((cold, before), (warm, before), (memory, most_before)):
                measured.theirs.append(theirs)
            cold.ours.append(seconds(PROJECT, *DIAL, kernel=kernel))
            with guest_up(kernel):
                warm.ours.append(seconds(PROJECT, *DIAL, kernel=kernel))
            memory.ours.append(peak(PROJECT, *DIAL, kernel=kernel))
    return [measured.figure() for _, every in kernels for measured in every]
