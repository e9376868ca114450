"""What ``rig connect`` shares with ``rig dial``, the modem's word for it, and both with ``rig soak``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli.common import (
    enter_lab_to_call,
    show_outcome,
)
from rig.config.bench import Bench
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number
from rig.verdict.verdict import as_json

if TYPE_CHECKING:
    from rig.run.trace import Trace
    from rig.verdict.soak import SoakVerdict


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for, beside the bench and the numbers."""

    hold: float
    repeat: int | None
    command: tuple[str, ...]
    inbound: bool
    report: Path | None
    report_secrets: bool
    wants_json: bool
    verbose: bool
    quiet: bool


def run(title: str, bench: Bench, numbers: tuple[Number, ...], engine: str | None, wanted: Wanted) -> int:
    """Bring the way up, in the lab; the exit status. ``title``: the command line, for the report."""
    if wanted.repeat is not None and (wanted.inbound or wanted.hold or wanted.command):
        raise UsageError("--repeat takes no --hold, no --inbound and no COMMAND", "rig soak --help")
    enter_lab_to_call(engine, bench, wanted.report)
    if wanted.repeat is not None:
        report, quiet = wanted.report, wanted.quiet
        return run_soak(bench, numbers, wanted.repeat, 0.0, report, wants_json=wanted.wants_json, quiet=quiet)
    # Here, and not above: outside the lab none of this is needed, and it costs a second to import.
    from rig.cli.reporting import capture_for, conclude
    from rig.jobs import connect, verify
    from rig.paths import building, modem_building
    from rig.report import Far
    from rig.run.progress import Progress

    progress = Progress(verbose=wanted.verbose, quiet=wanted.quiet)
    capture = capture_for(wanted.report, secrets=wanted.report_secrets)
    options = connect.ConnectOptions(numbers, wanted.hold, wanted.command)
    if wanted.inbound:
        making = functools.partial(modem_building.build, inbound=True)
        verdict = connect.run(bench, options, progress, making, capture, verify.what_answered)
    else:
        verdict = connect.run(bench, options, progress, building.build, capture)
    far: Far = "device under test" if wanted.inbound else "gateway"
    return conclude(
        verdict, title, bench, progress.trace, wanted.report, wants_json=wanted.wants_json, capture=capture, far=far
    )


def run_arms(
    arms: Sequence[tuple[Bench, tuple[Number, ...]]],
    calls: int,
    pause: float,
    seed: int,
    folder: Path,
    *,
    wants_json: bool,
    quiet: bool,
) -> int:
    """In the lab: so many calls on each bench, how they differ, the report; the exit status. See ArmsPlan."""
    from rig.jobs import soak_arms as job
    from rig.jobs.connect import open_once
    from rig.paths.building import build
    from rig.run.progress import Progress

    plan = job.ArmsPlan(tuple(arms), calls, pause, seed)
    verdict, trace = job.run(plan, folder, Progress(quiet=quiet), build, open_once)
    title = f"{len(verdict.calls)} calls on {verdict.bench}"
    return _told(title, arms[0][0], verdict, trace, job.table, folder, wants_json=wants_json)


def run_soak(
    bench: Bench,
    numbers: tuple[Number, ...],
    calls: int,
    pause: float,
    folder: Path | None,
    *,
    wants_json: bool,
    quiet: bool,
) -> int:
    """In the lab: the calls, the table, the report where there is a folder; the exit status."""
    from rig.jobs import soak as job
    from rig.jobs.connect import open_once
    from rig.paths.building import build
    from rig.run.progress import Progress

    if bench.inbound is not None and bench.lig is None and bench.vpn_gateway is None:
        raise UsageError(f"bench {bench.name} is for inbound calls", "rig answer takes them")
    verdict, trace = job.run(
        bench, job.SoakPlan(numbers, calls, pause), folder, Progress(quiet=quiet), build, open_once
    )
    title = f"{len(verdict.calls)} calls to {', '.join(numbers) if numbers else bench.name}"
    return _told(title, bench, verdict, trace, job.table, folder, wants_json=wants_json)


def run_farm(
    tags: str,
    numbers: tuple[Number, ...],
    calls: int,
    pause: float,
    folder: Path,
    *,
    wants_json: bool,
    quiet: bool,
) -> int:
    """So many calls on a farm's benches that have the tags, a line for each, the report; the exit status."""
    from rig.jobs import soak_arms, soak_farm
    from rig.run.progress import Progress

    progress = Progress(quiet=quiet)
    verdict = soak_farm.run(soak_farm.FarmPlan(tags, numbers, calls, pause), folder, progress)
    title = f"{len(verdict.calls)} calls"
    return _told(title, None, verdict, progress.trace, soak_arms.table, folder, wants_json=wants_json)


def _told(
    title: str,
    bench: Bench | None,
    verdict: SoakVerdict,
    trace: Trace,
    table: Callable[[SoakVerdict], str],
    folder: Path | None,
    *,
    wants_json: bool,
) -> int:
    """What a soak says at its end, and its report; the exit status."""
    from rig.cli.reporting import write_report

    if wants_json or verdict.calls:
        click.echo(as_json(verdict) if wants_json else table(verdict))
    more = {"calls": verdict.calls, "differences": verdict.differences}
    show_outcome(verdict, write_report(folder, title, bench, verdict, trace, **more))
    return verdict.exit
