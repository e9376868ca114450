"""``rig qualify``."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from rig.cli.common import bench_option, json_option
from rig.config.bench_files import load
from rig.jobs import qualify as job
from rig.report import qualification
from rig.run.progress import Progress
from rig.run.results import make_folder


@click.command(epilog="Example: rig qualify --bench analogue --only noise --only phase-jitter --report results/card")
@bench_option
@click.option("--calls", type=click.IntRange(min=1), default=10, show_default=True, metavar="N",
              help="At each strength.")  # fmt: skip
@click.option("--only", multiple=True, metavar="IMPAIRMENT", help="This one alone; may be given more than once.")
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="A page with a curve for each impairment, and every call as JSON.")  # fmt: skip
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the limits.")
def qualify(
    bench: str | None, calls: int, only: tuple[str, ...], report: Path | None, wants_json: bool, quiet: bool
) -> int:
    """How much of each impairment of a telephone line modems bear: a report card.

    Two modems of the bench call each other over lines with more and more noise, echo, jitter and the rest, one thing
    at a time. It needs neither a lab nor root.
    """
    wanted = job.sweeps(only)
    if report is not None:
        make_folder(report)
    verdict = job.run(load(bench or "analogue"), wanted, calls, Progress.silent() if quiet else Progress())
    if wants_json:
        click.echo(msgspec.json.encode(verdict).decode())
    else:
        for curve in verdict.curves:
            click.echo(curve.line())
    if report is not None:
        click.echo(f"report: {qualification.write(report, verdict)}", err=True)
    return verdict.exit
