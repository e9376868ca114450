"""``rig connect``: whatever way home a bench has; and what ``rig dial``, the modem's word for it, shares with it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from drivers.base.errors import UsageError
from rig.cli.common import (
    bench_option,
    checked_numbers,
    enter_lab_to_call,
    json_option,
    lab_option,
    load_bench,
    report_options,
    show_outcome,
    verbosity_options,
)
from rig.cli.soak import run_soak
from rig.config.bench import Bench


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


def run(title: str, bench: Bench, numbers: tuple[str, ...], engine: str | None, wanted: Wanted) -> int:
    """Bring the way up, in the lab; the exit status. ``title``: the command line, for the report."""
    if wanted.repeat is not None and (wanted.inbound or wanted.hold or wanted.command):
        raise UsageError("--repeat takes no --hold, no --inbound and no COMMAND", "rig soak --help")
    enter_lab_to_call(engine, bench, wanted.report)
    if wanted.repeat is not None:
        report, quiet = wanted.report, wanted.quiet
        return run_soak(bench, numbers, wanted.repeat, 0.0, report, wants_json=wanted.wants_json, quiet=quiet)
    # Here, and not above: outside the lab none of this is needed, and it costs a second to import.
    from rig.cli.reporting import capture_for, write_report
    from rig.jobs import connect, verify
    from rig.report import Far
    from rig.run.progress import Progress

    progress = Progress(verbose=wanted.verbose, quiet=wanted.quiet)
    capture = capture_for(wanted.report, secrets=wanted.report_secrets)
    run_job = verify.run if wanted.inbound else connect.run
    verdict = run_job(bench, connect.ConnectOptions(numbers, wanted.hold, wanted.command), progress, capture)
    if wanted.wants_json:
        sys.stdout.write(verdict.to_json() + "\n")
    far: Far = "device under test" if wanted.inbound else "gateway"
    page = write_report(wanted.report, title, bench, verdict, progress.trace, capture=capture, far=far)
    show_outcome(verdict, page)
    return verdict.exit


@click.command(epilog="Example: rig connect --bench internet", context_settings={"ignore_unknown_options": False})
@click.option("--number", "numbers", multiple=True, callback=checked_numbers,
              help="A number to dial, on a bench that dials; default: the emulated gateway's.")  # fmt: skip
@click.option("--hold", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Keep it up for S seconds.")
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="N times in a row, and a table; see rig soak.")
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def connect(
    numbers: tuple[str, ...],
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
    chosen = load_bench(bench)
    if chosen.dials and not numbers:
        numbers = (gateway_number(chosen),)
    if numbers and not chosen.dials:
        raise UsageError(f"bench {chosen.name} dials no number", "leave out --number")
    wanted = Wanted(hold, repeat, command, False, report, report_secrets, wants_json, verbose, quiet)
    return run(f"rig connect --bench {chosen.name}", chosen, numbers, engine, wanted)


def gateway_number(bench: Bench) -> str:
    """The number of an emulated bench's LIG. Raises UsageError on a bench where only the user knows it."""
    numbers = bench.exchange.numbers if bench.exchange else ()
    found = next((entry.number for entry in numbers if entry.kind == "lig"), None)
    if found is None:
        raise UsageError("a real bench needs the gateway's number", "--number N")
    return found
