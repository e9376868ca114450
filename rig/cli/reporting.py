"""``--report``: what the commands that have it share, once they are in the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.config.bench import Bench
from rig.report import Subject, write
from rig.run.capture import Capture
from rig.run.trace import Trace
from rig.verdict.consoles import ConsolesVerdict
from rig.verdict.inbound import InboundVerdict
from rig.verdict.soak import SoakVerdict
from rig.verdict.verdict import Verdict, as_values


def capture_for(report: Path | None, *, secrets: bool) -> Capture | None:
    """What is to be captured: nothing where no report is wanted."""
    return Capture(secrets=secrets) if report is not None else None


def write_report(
    folder: Path | None,
    title: str,
    bench: Bench,
    verdict: Verdict | InboundVerdict | SoakVerdict | ConsolesVerdict,
    trace: Trace,
    **more: Any,
) -> Path | None:
    """Write the report, where one is wanted; the path of its page. ``more``: what else Subject takes."""
    if folder is None:
        return None
    return write(folder, Subject(title, bench, as_values(verdict), verdict.checks, trace, **more))
