"""What ``rig consoles`` found."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import CheckResult, Ending


class ConsolesVerdict(Ending):
    """The outcome; its keys are the command line's contract."""

    bench: str
    lab: str
    checks: list[CheckResult] = msgspec.field(default_factory=list)
