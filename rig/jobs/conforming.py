"""``rig conform``: a device held to a standard, case by case; what is common to all standards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from rig import lab
from rig.conform.case import Case, Group, Recorded, chosen
from rig.conform.run import Device, run
from rig.drivers.base.errors import UsageError
from rig.run.progress import Progress
from rig.verdict.callhome import counted
from rig.verdict.conform import ConformVerdict, GroupCount
from rig.verdict.verdict import CheckResult

T = TypeVar("T", bound=Recorded)


def held_to(
    groups: Sequence[Group[T]],
    names: Sequence[str],
    what: str,
    device: AbstractContextManager[Device[T]],
    progress: Progress,
    failed: Callable[[Case[T], T], None] = lambda case, tester: None,
) -> ConformVerdict:
    """Every case that is wanted (see chosen), of ``what`` in words; ``failed`` as of run. Raises UsageError for one
    that there is not."""
    try:
        cases = chosen(groups, names)
    except ValueError as error:
        raise UsageError(str(error)) from None
    verdict = ConformVerdict(device=what, lab=lab.current())
    began = time.monotonic()
    with device as own, progress.step(f"{counted(len(cases), 'case')} against {what}"):
        for result in run(own, cases, lambda result: progress.note(line_of(result)), failed):
            verdict.checks.append(result)
    verdict.seconds = time.monotonic() - began
    verdict.groups = list(counts(groups, verdict.checks))
    if public := sum(group.size for group in groups):
        verdict.coverage = f"{sum(len(group.cases) for group in groups if group.size)} of {public}"
    verdict.judge_by(verdict.checks)
    return verdict


def counts(groups: Sequence[Group[T]], checks: Sequence[CheckResult]) -> Iterator[GroupCount]:
    """By group, in their order; those of which nothing was wanted are left out."""
    for group in groups:
        own = [check for check in checks if check.name.partition(".")[0] == str(group.number)]
        if own:
            held = [check.held for check in own]
            yield GroupCount(
                group.number, group.title, group.size, len(own), held.count(True), held.count(False), held.count(None)
            )


def line_of(check: CheckResult) -> str:
    """A case as a line for a person."""
    return f"{check.mark} {check.name} {check.expected}" + (f" {check.observed}" if check.observed else "")
