"""``rig soak``."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.calling import numbers_for, way_number_option
from rig.cli.common import bench_option, enter_lab_to_call, json_option, lab_option, load_bench_to_run
from rig.cli.way_home import run_arms, run_farm, run_soak
from rig.config.bench import Bench
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number
from rig.run.results import make_folder


def _split(_context: click.Context, _option: click.Parameter, arms: str) -> tuple[str, ...]:
    """Raises UsageError for fewer than two."""
    names = tuple(name.strip() for name in arms.split(",") if name.strip())
    if arms and len(names) < 2:
        raise UsageError(f"--arms {arms}: there is one bench, and nothing to compare it with", "--arms A.toml,B.toml")
    return names


@click.command(epilog="Example: rig soak results/night --bench my-bench.toml --number N --calls 500 --pause 30")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@way_number_option
@click.option("--calls", type=click.IntRange(min=1), default=100, show_default=True, metavar="N",
              help="In all, or with --arms on each bench.")  # fmt: skip
@click.option("--pause", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Seconds between two calls.")
@click.option("--arms", default="", callback=_split, metavar="A,B",
              help="Compare benches, by name or file: their calls are interleaved.")  # fmt: skip
@click.option("--place", default="", metavar="TAG=PATTERN,…",
              help="On all free places of a labgrid farm that have these tags, side by side.")  # fmt: skip
@click.option("--seed", type=int, default=2007, show_default=True, metavar="S", help="Of the order of --arms.")
@bench_option
@lab_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the table and the verdict.")
def soak(
    folder: Path,
    numbers: tuple[Number, ...],
    calls: int,
    pause: float,
    arms: tuple[str, ...],
    place: str,
    seed: int,
    bench: str | None,
    engine: str | None,
    wants_json: bool,
    quiet: bool,
) -> int:
    """Calls in a row, to qualify a modem or a line. Each is in DIR when it is over; the same command goes on there.

    With --arms the exit status is 1 where a bench is shown to be worse than the first: its calls come up less often, or
    later.
    """
    if place:
        if bench or arms or engine:
            raise UsageError("--place takes no --bench, no --arms and no --lab: the farm has them", "rig soak --help")
        make_folder(folder)
        return run_farm(place, numbers, calls, pause, folder, wants_json=wants_json, quiet=quiet)
    if arms:
        benches = _arms(arms)
        wanted = [(one, numbers_for(one, numbers)) for one in benches]
        for one in sorted(benches, key=lambda one: one.emulated):  # what a real modem needs, the others bear
            enter_lab_to_call(engine, one, folder)
        return run_arms(wanted, calls, pause, seed, folder, wants_json=wants_json, quiet=quiet)
    chosen = load_bench_to_run(bench)
    numbers = numbers_for(chosen, numbers)
    enter_lab_to_call(engine, chosen, folder)
    return run_soak(chosen, numbers, calls, pause, folder, wants_json=wants_json, quiet=quiet)


def _arms(names: tuple[str, ...]) -> list[Bench]:
    """Raises UsageError where two have one name: which of them a call was on could not be said."""
    benches = [load_bench_to_run(name) for name in names]
    twice = {one.name for one in benches if sum(one.name == other.name for other in benches) > 1}
    if twice:
        raise UsageError(f"--arms: two benches are named {min(twice)}", "copy one's file to another name")
    return benches
