"""Ways home over a network: from nothing to TLS with a server, beside curl; the firewall's matrix, beside nmap."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fence import with_nmap
from benchmarks.figures import Figure, in_time, spread
from rig.config.bench import Bench
from rig.config.bench_files import load, load_tls_policy
from rig.config.destinations import HTTPS
from rig.drivers.tls import client as tls
from rig.jobs.probing import Drawn, probes_of
from rig.paths.building import build
from rig.paths.built import Built
from rig.paths.proxy_building import BuiltProxy
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

RUNS = 20
MATRIX_RUNS = 5
MATRIX_TARGET, MATRIX_PEER = 5.0, 8.0
DIRECT_TARGET, PROXY_TARGET = 1.3, 1.5


@contextlib.contextmanager
def built(name: str) -> Iterator[tuple[Bench, Built]]:
    bench = load(name)
    with Owner() as owner:
        yield bench, build(bench, (), owner, Progress.silent())


def ours(bench: Bench, way: Built) -> float:
    """Seconds from opening the way until a server's TLS is agreed."""
    policy = load_tls_policy(bench)
    began = time.monotonic()
    up = way.path.open(Verdict("", ""))
    server = up.allowed.servers[0]
    connection = up.connect(up.namespace, server, HTTPS, 10.0)
    secured, _ = tls.secure(connection, policy, Path(way.ca), server)
    took = time.monotonic() - began
    secured.close()
    return took


def curls(way: Built) -> float:
    """curl's own seconds until it has agreed on TLS: its start as a process is not in them."""
    up = way.path.open(Verdict("", ""))
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{time_appconnect}", "--cacert", way.ca]
    if isinstance(way, BuiltProxy):
        plan = way.proxy.plan
        command += ["--proxy", f"http://{plan.address}:{plan.port}"]
        if plan.account is not None:
            command += ["--proxy-anyauth", "--config", "-"]
    account = way.proxy.plan.account if isinstance(way, BuiltProxy) else None
    told = f'proxy-user = "{account.user}:{account.password}"\n' if account else ""
    with up.namespace.entered():
        done = subprocess.run(
            [*command, f"https://{up.allowed.servers[0]}/"], input=told, capture_output=True, text=True, timeout=30,
            check=True,
        )  # fmt: skip
    took = float(done.stdout)
    if not took:
        raise RuntimeError("curl agreed on no TLS")
    return took


def opening(name: str, what: str, target: float) -> Figure:
    with built(name) as (bench, way):
        ours(bench, way), curls(way)  # both have what they need from the disk then
        pairs = [(ours(bench, way), curls(way)) for _ in range(RUNS)]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratio = sorted(mine)[RUNS // 2] / sorted(theirs)[RUNS // 2]
    return Figure(
        f"{what}, to TLS", spread(mine, "s"), f"curl: {spread(theirs, 's')}; {ratio:.2f} times as long",
        f"at most {target} times", ratio <= target, in_time("curl", mine, theirs),
    )  # fmt: skip


def matrix() -> Figure:
    with built("internet") as (_, way):
        up = way.path.open(Verdict("", ""))
        runs = [probes_of(way, up, Drawn()) for _ in range(MATRIX_RUNS)]
        reports = [run.run() for run in runs]
        if any(report.findings for report in reports):
            raise RuntimeError("the sound router has findings")
        with Owner() as owner:
            scanned = with_nmap(runs[0].ground, up.namespace, owner.folder)
    seconds = [report.seconds for report in reports]
    times, words = scanned.times(seconds)
    return Figure(
        f"{len(reports[0].outcomes)} probes of a customer's firewall, Ethernet", spread(seconds, "s"), words,
        "under 5 s, and nmap 8 times as long", max(seconds) < MATRIX_TARGET and times >= MATRIX_PEER,
    )  # fmt: skip


def measure() -> list[Figure]:
    return [
        opening("internet", "the Internet", DIRECT_TARGET),
        opening("proxy-open", "through tinyproxy", PROXY_TARGET),
        opening("proxy", "through squid, with authentication", PROXY_TARGET),
        matrix(),
    ]
