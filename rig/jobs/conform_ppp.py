"""``rig conform ppp``: a PPP peer held to what the RFCs say of it, case by case."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.ppp.peer.lcp import Timing
from drivers.serial.serial_line import SerialLine
from rig.conform.ppp.devices import PortDevice, ProgramDevice, pppd
from rig.conform.ppp.groups import GROUPS
from rig.conform.ppp.tester import Tester
from rig.conform.run import Device
from rig.jobs.conforming import held_to
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.conform import ConformVerdict


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
    return held_to(GROUPS, plan.cases, plan.device, device_of(plan), progress)


@contextlib.contextmanager
def device_of(plan: ConformPlan) -> Iterator[Device[Tester]]:
    """What is to be held to it, taken down at the end."""
    if plan.port:
        with SerialLine(plan.port, plan.speed, rtscts=False) as line:
            yield PortDevice(line, plan.timing, plan.answer)
    elif plan.against:
        yield ProgramDevice(plan.against, plan.timing, answer_seconds=plan.answer)
    else:
        with Owner() as owner:
            yield pppd(owner.namespace("device"), owner.folder, plan.timing)
