"""``rig consoles``."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.common import (
    bench_option,
    enter_lab,
    json_option,
    lab_option,
    load_bench,
    report_options,
    verbosity_options,
)
from rig.drivers.base.errors import UsageError


@click.command(epilog="Example: rig consoles --bench consoles")
@bench_option
@lab_option
@report_options
@json_option
@verbosity_options
def consoles(
    bench: str | None,
    engine: str | None,
    report: Path | None,
    report_secrets: bool,
    wants_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Consoles beside each other: who finds whom, how they speak, and what strangers can do."""
    chosen = load_bench(bench)
    if chosen.consoles is None:
        raise UsageError(f"bench {chosen.name}: the table [consoles] is missing", "see hw-config/benches/consoles.toml")
    enter_lab(engine, chosen, report)
    from rig.cli.reporting import conclude
    from rig.jobs import consoles as job
    from rig.run.progress import Progress

    progress = Progress(verbose=verbose, quiet=quiet)
    verdict = job.run(chosen, progress)
    return conclude(verdict, "rig consoles", chosen, progress.trace, report, wants_json=wants_json)
