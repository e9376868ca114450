"""``rig conform ppp``: a PPP peer held to what the RFCs say of it, case by case."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.config.bench import Bench
from rig.conform.case import Case
from rig.conform.ppp.devices import CalledDevice, PortDevice, ProgramDevice, pppd
from rig.conform.ppp.groups import GROUPS
from rig.conform.ppp.tester import Tester
from rig.conform.run import Device
from rig.drivers.modem.number import Number
from rig.drivers.ppp.peer.lcp import Timing
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.conforming import held_to
from rig.paths.modem_building import build
from rig.run.capture import LINKTYPE_PPP_WITH_DIR, MASKED, Wire, masked, ppp_packet, write_wires
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.conform import ConformVerdict


@dataclass(frozen=True)
class ConformPlan:
    """``port`` where the device is, at ``speed`` bit/s; ``against``: the words of a program that is one; ``bench`` from
    which ``number`` is called; none of them: pppd. ``cases``: groups and numbers, all where there are none.
    ``answer``: seconds for an answer that is due; ``capture``: where what went over the line is written, for each case
    that failed."""

    timing: Timing
    port: str = ""
    speed: int = 115200
    against: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    answer: float = 1.0
    bench: Bench | None = None
    number: Number | None = None
    capture: Path | None = None

    @property
    def device(self) -> str:
        """In words."""
        if self.bench is not None:
            return f"{self.number}, called from {self.bench.name}"
        return self.port or " ".join(self.against) or "pppd"


def run_ppp(plan: ConformPlan, progress: Progress) -> ConformVerdict:
    """Every case that is wanted. Raises UsageError for one that there is not, and NoModemError, PortBusyError as a port
    does."""
    wires: list[Wire] = []
    verdict = held_to(
        GROUPS, plan.cases, plan.device, device_of(plan, progress), progress,
        lambda case, tester: wires.append(wire_of(case, tester)),
    )  # fmt: skip
    if plan.capture is not None:
        write_wires(plan.capture, wires)
    return verdict


def wire_of(case: Case[Tester], tester: Tester) -> Wire:
    """What went over the line in a case, for Wireshark."""
    since = time.time() - time.monotonic()
    packets = [ppp_packet(since + one.at, one.sent, masked(one.frame)) for one in tester.seen]
    return Wire(
        f"case {case.name}", LINKTYPE_PPP_WITH_DIR, packets, f"{case.section} {case.level}: {case.what}; {MASKED}"
    )


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
