"""``rig dial``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from drivers.base.errors import UsageError
from rig.cli.common import (
    bench_option,
    enter_lab_to_call,
    json_option,
    lab_option,
    load_bench,
    numbers_option,
    report_options,
    show_outcome,
    verbosity_options,
)
from rig.cli.soak import run_soak


@click.command(
    epilog="Example: rig dial --number 1-800-555-0100 --bench loopback",
    context_settings={"ignore_unknown_options": False},
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
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def dial(
    numbers: tuple[str, ...],
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
    if inbound and (chosen.inbound is None or chosen.emulated):
        raise UsageError(
            f"bench {chosen.name}: --inbound takes a bench with a real modem and the table [inbound]",
            "both sides on an emulated bench: rig answer --bench loopback-inbound",
        )
    if repeat is not None and (inbound or hold or command):
        raise UsageError("--repeat takes no --hold, no --inbound and no COMMAND", "rig soak --help")
    enter_lab_to_call(engine, chosen, report)
    if repeat is not None:
        return run_soak(chosen, numbers, repeat, 0.0, report, wants_json=wants_json, quiet=quiet)
    # Here, and not above: outside the lab none of this is needed, and it costs a second to import.
    from rig.cli.reporting import capture_for, write_report
    from rig.jobs import dial as job
    from rig.report import Far
    from rig.run.progress import Progress

    progress = Progress(verbose=verbose, quiet=quiet)
    capture = capture_for(report, secrets=report_secrets)
    verdict = job.run(chosen, job.DialOptions(numbers, hold, command, inbound), progress, capture)
    if wants_json:
        sys.stdout.write(verdict.to_json() + "\n")
    title = f"rig dial {'--inbound ' if inbound else ''}{' '.join(f'--number {number}' for number in numbers)}"
    far: Far = "device under test" if inbound else "gateway"
    page = write_report(report, title, chosen, verdict, progress.trace, capture=capture, far=far)
    show_outcome(verdict, page)
    return verdict.exit
