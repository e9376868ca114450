"""``rig fetch``: fixes, from the service centre."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.calling import attempts_option, numbers_for, way_number_option
from rig.cli.common import (
    bench_option,
    enter_lab_to_call,
    json_option,
    lab_option,
    load_bench_to_run,
    report_options,
    verbosity_options,
)
from rig.drivers.modem.number import Number


@click.command(epilog="Example: rig fetch --bench loopback-instant --to results/fixes")
@click.option("--to", "folder", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Where they are put; what is there already goes on.")  # fmt: skip
@attempts_option
@way_number_option
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
@click.argument("names", nargs=-1)
def fetch(
    folder: Path,
    attempts: int,
    numbers: tuple[Number, ...],
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
    names: tuple[str, ...],
) -> int:
    """Fetch fixes by their NAMES, all of them without, over whatever way home the bench has."""
    chosen = load_bench_to_run(bench)
    numbers = numbers_for(chosen, numbers)
    enter_lab_to_call(engine, chosen, report, folder)
    from rig.cli.reporting import capture_for, conclude
    from rig.jobs import fetch as job
    from rig.run.progress import Progress

    progress = Progress(verbose=verbose, quiet=quiet)
    capture = capture_for(report, secrets=report_secrets)
    verdict = job.run(chosen, job.FetchPlan(names, folder, attempts, numbers), progress, capture)
    return conclude(verdict, "rig fetch", chosen, progress.trace, report, wants_json=wants_json, capture=capture)
