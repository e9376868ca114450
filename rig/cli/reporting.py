"""``--report``: what the commands that have it share, once they are in the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rig.cli.common import show_outcome
from rig.config.bench import Bench
from rig.report import Subject, write
from rig.run.capture import Capture
from rig.run.trace import Trace
from rig.verdict.consoles import ConsolesVerdict
from rig.verdict.inbound import InboundVerdict
from rig.verdict.soak import SoakVerdict
from rig.verdict.verdict import Verdict, as_json, as_values


def capture_for(report: Path | None, *, secrets: bool) -> Capture | None:
    """What is to be captured: nothing where no report is wanted."""
    return Capture(secrets=secrets) if report is not None else None


def conclude(
    verdict: Verdict | InboundVerdict | ConsolesVerdict,
    title: str,
    bench: Bench,
    trace: Trace,
    folder: Path | None,
    *,
    wants_json: bool,
    **more: Any,
) -> int:
    """What a command says last: JSON, its report, how it ended; the exit status. ``more``: what else Subject takes."""
    if wants_json:
        click.echo(verdict.to_json() if isinstance(verdict, Verdict) else as_json(verdict))
    show_outcome(verdict, write_report(folder, title, bench, verdict, trace, **more))
    return verdict.exit


def write_report(
    folder: Path | None,
    title: str,
    bench: Bench | None,
    verdict: Verdict | InboundVerdict | SoakVerdict | ConsolesVerdict,
    trace: Trace,
    **more: Any,
) -> Path | None:
    """Write the report, where one is wanted; the path of its page. ``bench``, and ``more``: what Subject takes."""
    if folder is None:
        return None
    return write(folder, Subject(title, bench, as_values(verdict), verdict.checks, trace, **more))
