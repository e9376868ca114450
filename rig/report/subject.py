"""What a report is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rig.config.bench import Bench
from rig.probes.report import Report as FenceReport
from rig.run.capture import Capture
from rig.run.trace import Trace
from rig.verdict.soak import Difference, SoakCall
from rig.verdict.verdict import CheckResult

Far = Literal["gateway", "caller", "device under test"]


@dataclass(frozen=True)
class Subject:
    """One run. ``title``: the command as a person would say it; ``bench``: None where it was on several, which stand
    elsewhere; ``verdict``: as ``--json`` has it, with at least bench, outcome, exit, message and advice; ``calls``:
    those of a soak, ``differences`` of the benches that it compares; ``far``: who is at the far end."""

    title: str
    bench: Bench | None
    verdict: dict[str, Any]
    checks: Sequence[CheckResult]
    trace: Trace
    capture: Capture | None = None
    fence: FenceReport | None = None
    calls: Sequence[SoakCall] = ()
    differences: Sequence[Difference] = ()
    far: Far = "gateway"

    @property
    def name(self) -> str:
        """Of the bench."""
        return str(self.bench.name if self.bench is not None else self.verdict["bench"])

    @property
    def good(self) -> bool:
        return int(self.verdict["exit"]) == 0

    @property
    def rate(self) -> int:
        """What the line can carry, in bit/s; 0 where none connected, nobody said, or it is one without pacing."""
        if self.bench is None or self.bench.instant:
            return 0
        connect = self.verdict.get("connect") or {}
        calls = self.verdict.get("calls") or [{}]  # of rig answer, which has no other place for it
        return int(connect.get("rate", 0) or calls[-1].get("rate", 0))
