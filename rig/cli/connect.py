"""``rig connect``: whatever way home a bench has."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.behind_dashes import WithCommand
from rig.cli.calling import numbers_for, way_number_option
from rig.cli.common import (
    bench_option,
    json_option,
    lab_option,
    load_bench_to_run,
    report_options,
    verbosity_options,
)
from rig.cli.way_home import Wanted, run
from rig.drivers.modem.number import Number


@click.command(cls=WithCommand, epilog="Example: rig connect --bench internet")
@way_number_option
@click.option("--hold", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Keep it up for S seconds.")
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="N times in a row, and a table; see rig soak.")
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
def connect(
    numbers: tuple[Number, ...],
    hold: float,
    repeat: int | None,
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
    command: tuple[str, ...],
) -> int:
    """Whatever way home the bench has: up, checks, verdict, down. A COMMAND after -- runs over it while it is up."""
    chosen = load_bench_to_run(bench)
    numbers = numbers_for(chosen, numbers)
    wanted = Wanted(hold, repeat, command, False, report, report_secrets, wants_json, verbose, quiet)
    return run(f"rig connect --bench {chosen.name}", chosen, numbers, engine, wanted)
