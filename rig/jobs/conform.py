"""``rig conform ppp``: a PPP peer held to what the RFCs say of it, case by case."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.base.errors import UsageError
from drivers.ppp.peer.lcp import Timing
from drivers.serial.serial_line import SerialLine
from rig import lab
from rig.conform.ppp.devices import Device, PortDevice, ProgramDevice, pppd
from rig.conform.ppp.run import GROUPS, PUBLIC, chosen, run
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.callhome import counted
from rig.verdict.conform import ConformVerdict, GroupCount
from rig.verdict.verdict import CheckResult


@dataclass(frozen=True)
class ConformPlan:
    """``port`` where the device is, at ``speed`` bit/s; or ``against``: the words of a program that is one; neither:
    pppd. ``cases``: groups and numbers, all where there are none. ``answer``: seconds for an answer that is due."""

    timing: Timing
    port: str = ""
    speed: int = 115200
    against: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    answer: float = 1.0

    @property
    def device(self) -> str:
        """In words."""
        return self.port or " ".join(self.against) or "pppd"


def run_ppp(plan: ConformPlan, progress: Progress) -> ConformVerdict:
    """Every case that is wanted. Raises UsageError for one that there is not, and NoModemError, PortBusyError as a port
    does."""
    try:
        cases = chosen(plan.cases)
    except ValueError as error:
        raise UsageError(str(error)) from None
    verdict = ConformVerdict(device=plan.device, lab=lab.current())
    began = time.monotonic()
    with device_of(plan) as device, progress.step(f"{counted(len(cases), 'case')} against {plan.device}"):
        for result in run(device, cases, lambda result: progress.note(line_of(result))):
            verdict.checks.append(result)
    verdict.seconds = time.monotonic() - began
    verdict.groups = list(counts(verdict.checks))
    verdict.coverage = f"{sum(len(group.cases) for group in GROUPS if group.size)} of {PUBLIC}"
    verdict.judge_by(verdict.checks)
    return verdict


@contextlib.contextmanager
def device_of(plan: ConformPlan) -> Iterator[Device]:
    """What is to be held to it, taken down at the end."""
    if plan.port:
        with SerialLine(plan.port, plan.speed, rtscts=False) as line:
            yield PortDevice(line, plan.timing, plan.answer)
    elif plan.against:
        yield ProgramDevice(plan.against, plan.timing, answer_seconds=plan.answer)
    else:
        with Owner() as owner:
            yield pppd(owner.namespace("device"), owner.folder, plan.timing)


def counts(checks: Sequence[CheckResult]) -> Iterator[GroupCount]:
    """By group, in their order; those of which nothing was wanted are left out."""
    for group in GROUPS:
        own = [check for check in checks if check.name.partition(".")[0] == str(group.number)]
        if own:
            held = [check.held for check in own]
            yield GroupCount(
                group.number, group.title, group.size, len(own), held.count(True), held.count(False), held.count(None)
            )


def line_of(check: CheckResult) -> str:
    """A case as a line for a person."""
    return f"{check.mark} {check.name} {check.expected}" + (f" {check.observed}" if check.observed else "")
