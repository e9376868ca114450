"""The fence's standard matrix over an instant line and over 33,600 bit/s; nmap over the same session."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from benchmarks.figures import Figure, spread
from benchmarks.stage import GATEWAY, caller, far_end
from rig.config.bench_files import load_destinations
from rig.config.destinations import HTTPS
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs.probing import Drawn, probes_of
from rig.links.near_end import NearEnd
from rig.paths.modem import up_of
from rig.paths.modem_building import built_of
from rig.probes.making import Ground
from rig.probes.outward import outward
from rig.probes.packets import TCP
from rig.probes.report import Report
from rig.probes.without_flow import TRUSTED
from rig.run.owner import Owner

RUNS = 5
INSTANT_TARGET, LINE_TARGET, NMAP_TARGET = 10.0, 60.0, 8.0
NMAP_SECONDS = 300.0
"""For all scans together: what a fence drops nmap waits for, and a ratio of hundreds need not be known to the last."""


def measure_bench(name: str, owner: Owner, runs: int) -> tuple[list[Report], Ground, NearEnd]:
    far = far_end(name, owner)
    near = caller(far, owner, f"probe-{name}")
    near.open()
    near.dial(GATEWAY)
    built = built_of(far.bench, near, [GATEWAY], far)
    way = up_of(near, near.start_ppp(), load_destinations(far.bench))
    prepared = [probes_of(built, way, Drawn()) for _ in range(runs)]
    reports = [run.run() for run in prepared]
    findings = [outcome.probe.what for report in reports for outcome in report.findings]
    if findings:
        raise RuntimeError(f"the sound gateway has findings: {findings}")
    return reports, prepared[0].ground, near


@dataclass(frozen=True)
class Scanned:
    """What nmap did in ``seconds``: ``ended`` of so many ``scans``."""

    seconds: float
    scans: int
    ended: int

    def times(self, ours: Sequence[float]) -> tuple[float, str]:
        """How many times as long as a typical one of ours, at least; and that in words."""
        times = self.seconds / statistics.median(ours)
        least = "at least " if self.ended < self.scans else ""
        words = f"nmap, {self.ended} of {self.scans} scans in {self.seconds:.0f} s: {least}{times:.0f} times as long"
        return times, words


def with_nmap(ground: Ground, namespace: NetworkNamespace, folder: Path) -> Scanned:
    """The same headers as far as nmap makes them, each kind to where the probes go; no longer than NMAP_SECONDS."""
    scans = [*_scans(ground)]
    began, ended = time.monotonic(), 0
    with namespace.entered(), contextlib.suppress(subprocess.TimeoutExpired):
        for number, (words, ports, targets) in enumerate(scans):
            file = folder / f"targets-{number}"
            file.write_text("\n".join(sorted(map(str, targets))))
            command = ["nmap", "-n", "-Pn", "--send-ip", "--max-retries", "1", *words, "-p", ports, "-iL", str(file)]
            left = began + NMAP_SECONDS - time.monotonic()
            subprocess.run(command, capture_output=True, timeout=left, check=True)
            ended += 1
    return Scanned(time.monotonic() - began, len(scans), ended)


def _scans(ground: Ground) -> Iterator[tuple[Sequence[str], str, Collection[IPv4Address]]]:
    """How to scan, which ports or protocols, and whom."""
    probes, hosts = outward(ground), ground.allowed.hosts
    to_https = {
        IPv4Address(packet[16:20])
        for probe in probes
        for packet in probe.packets
        if probe.version == 4 and packet[9] == TCP and packet[22:24] == HTTPS.to_bytes(2, "big")
    }
    yield ["-sS"], str(HTTPS), [address for address in to_https if address.is_global]
    for host in hosts:
        mine = [probe.packets[0] for probe in probes if probe.category == "other port of a server"]
        ports = {int.from_bytes(packet[22:24], "big") for packet in mine if packet[16:20] == host.packed} - {0}
        yield ["-sS"], ",".join(map(str, sorted(ports))), [host]
    yield ["-sO"], "0-255", hosts
    beside = [*hosts, *(host + 1 for host in hosts)]
    for flags in ("-sN", "-sF", "-sX", "-sA", "-sM"):
        yield [flags], f"80,{HTTPS}", beside
    for port in TRUSTED:
        yield ["-sS", "-g", str(port)], f"80,{HTTPS}", beside
        yield ["-sU", "-g", str(port)], f"80,{HTTPS}", beside


def measure() -> list[Figure]:
    with Owner() as owner:
        reports, ground, near = measure_bench("instant", owner, RUNS)
        scanned = with_nmap(ground, near.namespace, owner.folder)
    with Owner() as owner:
        slow, _, _ = measure_bench("line", owner, 1)
    fast = [report.seconds for report in reports]
    count = len(reports[0].outcomes)
    times, words = scanned.times(fast)
    return [
        Figure(
            f"{count} probes, instant line", spread(fast, "s"), words,
            f"under 10 s, {NMAP_TARGET:g} times as fast as nmap", max(fast) < INSTANT_TARGET and times >= NMAP_TARGET,
        ),
        Figure(
            f"{count} probes, 33,600 bit/s", f"{slow[0].seconds:.3g} s, {slow[0].size} bytes", "", "under 60 s",
            slow[0].seconds < LINE_TARGET,
        ),
    ]  # fmt: skip
