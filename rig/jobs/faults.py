"""What became of the faults that a bench has: one that never happened has shown nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rig.config.bench import Bench
from rig.drivers.faults.messages import Kind
from rig.parts.exchange import switch
from rig.run.cable import control_path
from rig.run.control import Control, ControlError
from rig.run.progress import Progress
from rig.verdict.callhome import counted
from rig.verdict.verdict import CheckResult


def happened(bench: Bench, folder: Path, progress: Progress) -> Iterator[CheckResult]:
    """Each fault of a bench, and whether it has happened; asked, and told, when all else is done. ``folder``: the
    run's. Raises ControlError where who makes it is gone."""
    for kind in Kind:
        if bench.faults.rules(kind):
            path = switch.control_path(folder) if kind is Kind.PPP else control_path(folder, kind)
            for text, seen, done in Control(path).ask("happened"):
                result = _result(text, seen, done)
                progress.note(result.line())
                yield result


def _result(text: str, seen: int, done: int) -> CheckResult:
    observed = f"{_times(done)}, of {counted(seen, 'such message')}" if seen else "no such message has passed"
    return CheckResult("fault", text, "it happens", observed, done > 0, {"seen": seen, "done": done})


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


@contextlib.contextmanager
def told(bench: Bench, folder: Path, progress: Progress) -> Iterator[None]:
    """They are, at the end of the block."""
    try:
        yield
    finally:
        with contextlib.suppress(ControlError):
            list(happened(bench, folder, progress))
