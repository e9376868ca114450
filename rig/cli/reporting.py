"""``--report``: what the commands that have it share, once they are in the lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rig.bench import Bench
from rig.capture import Capture
from rig.inbound.verdict import InboundVerdict
from rig.progress import Progress
from rig.report import Far, Subject, write
from rig.verdict import Verdict, as_json

if TYPE_CHECKING:
    from rig.probes.run import Report as FenceReport


def capture_for(report: Path | None, *, secrets: bool) -> Capture | None:
    """What is to be captured: nothing where no report is wanted."""
    return Capture(secrets=secrets) if report is not None else None


def write_report(
    folder: Path | None,
    title: str,
    bench: Bench,
    verdict: Verdict | InboundVerdict,
    progress: Progress,
    capture: Capture | None,
    fence: FenceReport | None = None,
    far: Far = "gateway",
) -> Path | None:
    """Write the report, where one is wanted; the path of its page."""
    if folder is None:
        return None
    found = json.loads(as_json(verdict))
    return write(folder, Subject(title, bench, found, verdict.checks, progress.trace, capture, fence, far=far))
