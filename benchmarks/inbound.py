"""An inbound call: from RING to IP up, and how long a representative takes to verify a sound answering side."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, in_time, spread
from benchmarks.stage import BENCHES
from rig.checks.inbound.sweep import ALL_PORTS
from rig.config.bench_files import load
from rig.fixtures.inbound import InboundCall, armed, connected
from rig.jobs.answer import InboundBench
from rig.run.owner import Owner
from rig.run.progress import Progress

RUNS = 5
RING_TARGET, VERIFY_TARGET = 1.2, 30.0
NMAP_SECONDS = 150.0
SESSION_SECONDS = 1500.0


def ring_to_ip(stage: InboundBench, file: Path) -> float:
    """Seconds beyond the rings that were asked for."""
    with armed(stage, file) as one:
        with connected(one):
            pass
        one.wait()
        return one.verdict.calls[-1].seconds


def verified(call: InboundCall) -> float:
    began = time.monotonic()
    failed = [result.line() for result in call.verify(ALL_PORTS) if result.held is False]
    if failed:
        raise RuntimeError(f"the sound answering side has findings: {failed}")
    return time.monotonic() - began


def with_nmap(call: InboundCall) -> float:
    """The same TCP ports by nmap, over the same session; it is stopped at its bound, which then counts."""
    command = ["nmap", "-n", "-Pn", "-sS", "--send-ip", "--max-retries", "1", "-p-", str(call.up.peer)]
    began = time.monotonic()
    try:
        with call.caller.namespace.entered():
            subprocess.run(command, capture_output=True, timeout=NMAP_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        return NMAP_SECONDS
    return time.monotonic() - began


def measure() -> list[Figure]:
    with Owner() as owner, tempfile.TemporaryDirectory() as folder:
        stage = InboundBench.built(load(str(BENCHES / "inbound.toml")), owner, Progress.silent())
        times = [ring_to_ip(stage, Path(folder) / f"{number}.json") for number in range(RUNS)]
        with armed(stage, Path(folder) / "last.json", seconds=SESSION_SECONDS) as one, connected(one) as call:
            pairs = [(verified(call), with_nmap(call)) for _ in range(RUNS)]
    ours, theirs = zip(*pairs, strict=True)
    return [
        Figure("RING to IP up, instant line", spread(times, "s"), "", "under 1.2 s", max(times) < RING_TARGET),
        Figure(
            f"verifying: {len(ALL_PORTS)} TCP ports, UDP, 4 partitions",
            spread(ours, "s"),
            "",
            "median under 30 s",
            statistics.median(ours) < VERIFY_TARGET,
            in_time("nmap, TCP alone", ours, theirs),
        ),
    ]
