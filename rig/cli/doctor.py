"""``rig doctor``."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rig.cli.common import bench_option, json_option
from rig.config.bench_files import load
from rig.doctor import Examination, Finding, State, examine
from rig.drivers.base.errors import CannotRunError
from rig.verdict.verdict import as_json

PLAIN_WIDTH = 120
STYLES = {State.OK: "green", State.MISSING: "yellow", State.BROKEN: "bold red"}


@click.command(epilog="Example: rig doctor --bench my-bench.toml")
@bench_option
@json_option
@click.option("-v", "--verbose", is_flag=True, help="Show the console of a guest that does not start.")
def doctor(bench: str | None, wants_json: bool, verbose: bool) -> int:
    """What this machine can run, what is missing, and the command that mends it. Exit status 0 when the bench can."""
    examination = examine(load(bench or "loopback"))
    can_run = examination.bench.state is State.OK
    if wants_json:
        found = asdict(examination)
        click.echo(as_json({**found, "exit": 0 if can_run else CannotRunError.exit_status}))
    else:
        _show(examination)
        for finding in examination.findings if verbose else ():
            if finding.console:
                click.echo(f"\nthe console of {finding.name}:\n{finding.console}")
    return 0 if can_run else CannotRunError.exit_status


def _show(examination: Examination) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    findings = examination.findings
    group = ""
    for finding, after in zip(findings, (*findings[1:], None), strict=True):
        # A mend that serves several is said once, after the last of them.
        mend = "" if after is not None and after.mend == finding.mend else finding.mend
        table.add_row(finding.group if finding.group != group else "", *_cells(finding, mend))
        group = finding.group
    console.print(table)
    verdict = examination.bench
    state = Text(verdict.state.value.upper(), STYLES[verdict.state])
    console.print(state, Text(f": {verdict.name}: {verdict.found}"), sep="", soft_wrap=True)
    if verdict.mend:
        console.print(f"     {verdict.mend}", markup=False, soft_wrap=True)


def _cells(finding: Finding, mend: str) -> tuple[Text, str, Text]:
    said = Text(finding.found)
    if mend:
        said.append("\n" if finding.found else "").append(f"→ {mend}", "cyan")
    return Text(finding.state.value, STYLES[finding.state]), finding.name, said
