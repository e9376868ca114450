"""The fence's job: a session, every probe over it, a report, everything down again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from ipaddress import IPv4Network
from typing import Any

from drivers.base.errors import BusyError
from drivers.base.interruptions import interruptible
from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.links.making import caller_at
from rig.parts.rack import FarEnd
from rig.paths.modem import up_of
from rig.paths.modem_building import build
from rig.paths.up import Up
from rig.probes.engine import End
from rig.probes.making import Ground
from rig.probes.run import FenceRun, Report, Vantage
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict


def run(
    bench: Bench,
    number: str,
    sample: int,
    seed: int,
    flood: int,
    progress: Progress,
    verdict: Verdict,
    capture: Capture | None = None,
) -> Report:
    """Dial and probe; ``flood``: half-open flows with which it is probed again, 0 for not. ``verdict`` is filled in as
    the call goes on, and at the end by what the probes found, a check for each category.

    Raises as dialling and PPP do, and ProbeError where the probes show nothing.
    """
    with interruptible(), Owner() as owner:
        if capture is not None:
            capture.attend(owner)
        built = build(bench, [number], owner, progress, capture)
        near, far = built.near, built.far
        other = _second_caller(bench, owner, far, number, progress) if far and bench.exchange else None
        up = built.path.open(verdict)
        run = probes_of(bench, up, far, sample, seed, other, progress.advance)
        with progress.step("probing the fence"), near.in_session():
            report = run.run()
        if flood:
            with progress.step(f"probing it again, full of {flood} half-open flows"), near.in_session():
                outcomes, filled = run.flooded(flood, far.room if far else None)
            report = replace(report, outcomes=(*report.outcomes, *outcomes), filled=filled)
        verdict.checks = category_checks(report)
        verdict.judge()
        return report if far is None else replace(report, drops=far.drops(up.source))


def category_checks(report: Report) -> list[CheckResult]:
    """Each category as one check."""
    return [
        CheckResult(
            f"fence: {category}",
            f"{sum(counts.values())} probes",
            "as declared",
            ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count),
            _held(counts),
        )
        for category, counts in report.categories.items()
    ]


def _held(counts: dict[str, int]) -> bool | None:
    """Whether a category holds; None where there was nothing but silence, which decides nothing."""
    if counts["leaked"] or counts["unreachable"]:
        return False
    return True if counts["allowed"] or counts["denied"] else None


def _second_caller(bench: Bench, owner: Owner, far: FarEnd, number: str, progress: Progress) -> Up | None:
    """Somebody else who has called the gateway, to see what passes between callers; None when it has one line."""
    port = far.install_line("other-caller", "")
    near = caller_at(owner, bench, port, far.secret, progress, "other")
    near.open()
    try:
        near.dial(number)
    except BusyError:
        progress.note("the gateway has no second line: what passes between callers is not probed")
        return None
    return up_of(near, near.start_ppp(), load_destinations(bench))


def probes_of(
    bench: Bench,
    up: Up,
    far: FarEnd | None,
    sample: int,
    seed: int,
    other: Up | None = None,
    told: Callable[[int, int], None] = lambda sent, total: None,
) -> FenceRun:
    """The probes of the fence around a session that is up, watched where the far end is the rig's own.

    ``other``: a second caller and its session; ``told``: how many probes have been sent, and of how many.
    """
    allowed = up.allowed
    if not allowed.name_servers:  # a real gateway's, which it has told the caller
        allowed = replace(allowed, name_servers=up.name_servers)
    assert up.gateway is not None
    pool = bench.expect.pool or (bench.lig.pool if bench.lig else IPv4Network(f"{up.source}/24", strict=False))
    ground = Ground(
        allowed, up.source, up.gateway, pool, sample, seed, other.source if other else None, bench.near_end.allow
    )
    return FenceRun(
        ground,
        Vantage(
            End(up.namespace, up.interface),
            far.behind_the_gateway if far else None,
            far.towards(up.source) if far else None,
            End(other.namespace, other.interface) if other else None,
        ),
        told,
    )


def describe(report: Report, seed: int) -> dict[str, Any]:
    """A report as JSON: the keys are the command line's contract."""
    return {
        "seed": seed,
        "seconds": report.seconds,
        "bytes": report.size,
        "watched": report.watched,
        "categories": report.categories,
        "drops": report.drops,
        "flood": asdict(report.filled) if report.filled else None,
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
