"""The fence's job: a session, every probe over it, a report, everything down again."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from drivers.interruptions import interruptible
from drivers.namespace import NetworkNamespace
from drivers.pppd import PppUp
from rig.bench import Bench, load_fence, read_secret
from rig.far_end import FarEnd
from rig.near_end import NearEnd, modem_port
from rig.owner import Owner
from rig.probes.engine import End
from rig.probes.matrix import Ground
from rig.probes.run import FenceRun, Report
from rig.progress import Progress


def run(bench: Bench, number: str, sample: int, seed: int, progress: Progress) -> Report:
    """Dial and probe. Raises as dialling and PPP do, and ProbeError where the probes show nothing."""
    with interruptible(), Owner() as owner:
        far = FarEnd(bench, owner) if bench.lig is not None else None
        port = str(far.near_port) if far else modem_port(bench.near_end.modem)
        secret = far.secret if far else read_secret(bench, "")
        near = owner.own(NearEnd(bench, port, owner.namespace("hmc"), owner.folder, secret, progress))
        near.open()
        near.dial(number)
        up = near.start_ppp()
        with progress.step("probing the fence"):
            return probes_of(bench, near.namespace, up, far, sample, seed).run()


def probes_of(
    bench: Bench, namespace: NetworkNamespace, up: PppUp, far: FarEnd | None, sample: int, seed: int
) -> FenceRun:
    """The probes of the fence around a session that is up, watched where the far end is the rig's own."""
    pool = bench.expect.pool or (bench.lig.pool if bench.lig else IPv4Network(f"{up.local}/24", strict=False))
    ground = Ground(load_fence(bench), up.local, up.peer, pool, sample, seed)
    return FenceRun(ground, End(namespace, up.interface), far.behind_the_gateway if far else None)


def describe(report: Report, seed: int) -> dict[str, Any]:
    """A report as JSON: the keys are the command line's contract."""
    return {
        "seed": seed,
        "seconds": report.seconds,
        "bytes": report.size,
        "watched": report.watched,
        "categories": report.categories,
        "findings": [
            {
                "category": outcome.probe.category,
                "what": outcome.probe.what,
                "verdict": outcome.verdict,
                "sent": [packet.hex() for packet in outcome.probe.packets],
                "arrived": outcome.arrived.hex(),
            }
            for outcome in report.findings
        ],
    }
