"""``rig conform ppp``: a PPP peer held to what the RFCs say of it, case by case."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.modem.number import Number
from drivers.ppp.peer.lcp import Timing
from drivers.serial.serial_line import SerialLine
from rig.config.bench import Bench
from rig.conform.ppp.devices import CalledDevice, PortDevice, ProgramDevice, pppd
from rig.conform.ppp.groups import GROUPS
from rig.conform.ppp.tester import Tester
from rig.conform.run import Device
from rig.jobs.conforming import held_to
from rig.paths.modem_building import build
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.conform import ConformVerdict


@dataclass(frozen=True)
class ConformPlan:
    """``port`` where the device is, at ``speed`` bit/s; ``against``: the words of a program that is one; ``bench`` from
    which ``number`` is called; none of them: pppd. ``cases``: groups and numbers, all where there are none.
    ``answer``: seconds for an answer that is due."""

    timing: Timing
    port: str = ""
    speed: int = 115200
    against: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    answer: float = 1.0
    bench: Bench | None = None
    number: Number | None = None

    @property
    def device(self) -> str:
        """In words."""
        if self.bench is not None:
            return f"{self.number}, called from {self.bench.name}"
        return self.port or " ".join(self.against) or "pppd"


def run_ppp(plan: ConformPlan, progress: Progress) -> ConformVerdict:
    """Every case that is wanted. Raises UsageError for one that there is not, and NoModemError, PortBusyError as a port
    does."""
    return held_to(GROUPS, plan.cases, plan.device, device_of(plan, progress), progress)


@contextlib.contextmanager
def device_of(plan: ConformPlan, progress: Progress) -> Iterator[Device[Tester]]:
    """What is to be held to it, taken down at the end."""
    if plan.port:
        with SerialLine(plan.port, plan.speed, rtscts=False) as line:
            yield PortDevice(line, plan.timing, plan.answer)
    elif plan.bench is not None and plan.number is not None:
        with Owner() as owner:
            link = build(plan.bench, [], owner, progress).near.link
            yield CalledDevice(link, plan.number, plan.timing, plan.answer)
    elif plan.against:
        yield ProgramDevice(plan.against, plan.timing, answer_seconds=plan.answer)
    else:
        with Owner() as owner:
            yield pppd(owner.namespace("device"), owner.folder, plan.timing, plan.answer)
