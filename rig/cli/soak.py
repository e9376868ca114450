"""``rig soak``; and calls in a row for ``rig dial --repeat``."""

from __future__ import annotations

from pathlib import Path

import click

from drivers.modem.number import Number
from rig.cli.common import (
    bench_option,
    enter_lab_to_call,
    json_option,
    lab_option,
    load_bench_to_run,
    numbers_option,
)
from rig.cli.way_home import run_soak


@click.command(epilog="Example: rig soak results/night --bench my-bench.toml --number N --calls 500 --pause 30")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@numbers_option
@click.option("--calls", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="In all.")
@click.option("--pause", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Seconds between two calls.")
@bench_option
@lab_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the table and the verdict.")
def soak(
    folder: Path,
    numbers: tuple[Number, ...],
    calls: int,
    pause: float,
    bench: str | None,
    engine: str | None,
    wants_json: bool,
    quiet: bool,
) -> int:
    """Calls in a row, to qualify a modem or a line. Each is in DIR when it is over; the same command goes on there."""
    chosen = load_bench_to_run(bench)
    enter_lab_to_call(engine, chosen, folder)
    return run_soak(chosen, numbers, calls, pause, folder, wants_json=wants_json, quiet=quiet)
