"""``rig send``: what an appliance sends when it calls home."""

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
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number


def _sizes(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    """NAME=BYTES, with k, M or G for a thousand, a million, a thousand millions. Raises UsageError."""
    found = {}
    for text in given:
        name, _, number = text.rpartition("=")
        unit = {"k": 10**3, "M": 10**6, "G": 10**9}.get(number[-1:], 1)
        digits = number[:-1] if unit > 1 else number
        if not name or not digits.isdecimal():
            raise UsageError(f"--size {text}: it takes NAME=BYTES, for example sys.eed=64k")
        found[name] = int(digits) * unit
    return found


@click.command(epilog="Example: rig send --bench loopback-instant --reason problem")
@click.option("--reason", required=True, help="Why it calls home, a reason of the bench's catalogue.")
@click.option("--size", "sizes", multiple=True, callback=_sizes, metavar="NAME=BYTES",
              help="Make this file, of this size; k, M, G are taken.")  # fmt: skip
@attempts_option
@way_number_option
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def send(
    reason: str,
    sizes: dict[str, int],
    attempts: int,
    numbers: tuple[Number, ...],
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
    files: tuple[Path, ...],
) -> int:
    """Send FILES home over whatever way the bench has, and verify what has arrived; without any, those of the reason
    are made."""
    chosen = load_bench_to_run(bench)
    numbers = numbers_for(chosen, numbers)
    enter_lab_to_call(engine, chosen, report)
    from rig.cli.reporting import capture_for, conclude
    from rig.jobs import send as job
    from rig.jobs.sending import SendPlan
    from rig.run.progress import Progress

    progress = Progress(verbose=verbose, quiet=quiet)
    capture = capture_for(report, secrets=report_secrets)
    plan = SendPlan(reason, files, sizes, attempts, numbers)
    verdict = job.run(chosen, plan, progress, capture)
    return conclude(
        verdict, f"rig send --reason {reason}", chosen, progress.trace, report, wants_json=wants_json, capture=capture
    )
