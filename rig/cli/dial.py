"""``rig dial``."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.behind_dashes import WithCommand
from rig.cli.common import (
    bench_option,
    json_option,
    lab_option,
    load_bench,
    numbers_option,
    report_options,
    verbosity_options,
)
from rig.cli.way_home import Wanted, run
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number


@click.command(
    cls=WithCommand,
    epilog="Example: rig dial --number 1-800-555-0100 --bench loopback",
)
@numbers_option
@click.option(
    "--hold", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Keep the session up for S seconds."
)
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="N calls in a row, and a table; see rig soak.")
@click.option("--inbound", is_flag=True, help="Call as a service representative does; the checks are of what answers.")
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
def dial(
    numbers: tuple[Number, ...],
    hold: float,
    repeat: int | None,
    inbound: bool,
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
    command: tuple[str, ...],
) -> int:
    """Call home: dial, PPP, checks, verdict. A COMMAND after -- runs over the session while it is up."""
    chosen = load_bench(bench)
    if not chosen.dials:
        raise UsageError(f"bench {chosen.name} dials no number", f"rig connect --bench {chosen.name}")
    if inbound and (chosen.inbound is None or chosen.emulated):
        raise UsageError(
            f"bench {chosen.name}: --inbound takes a bench with a real modem and the table [inbound]",
            "both sides on an emulated bench: rig answer --bench loopback-inbound",
        )
    title = f"rig dial {'--inbound ' if inbound else ''}{' '.join(f'--number {number}' for number in numbers)}"
    wanted = Wanted(hold, repeat, command, inbound, report, report_secrets, wants_json, verbose, quiet)
    return run(title, chosen, numbers, engine, wanted)
