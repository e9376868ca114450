"""``rig conform at``: a modem, or what plays one, held to V.250, case by case."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from rig.config import profiles
from rig.conform.at.devices import PortDevice, ProgramDevice, soft_modems
from rig.conform.at.groups import GROUPS
from rig.conform.at.tester import Numbers, Tester
from rig.conform.case import NotAsSpecifiedError
from rig.conform.run import Device
from rig.drivers.base.errors import NoModemError
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.conforming import held_to
from rig.run.progress import Progress
from rig.verdict.conform import ConformVerdict


@dataclass(frozen=True)
class AtPlan:
    """``port`` where the modem is, at ``speed`` bit/s, and ``partner`` that of another one; or ``against``: the words
    of a program that plays one; neither: a soft modem of a ``make``, a profile's name. ``cases``: groups and numbers,
    all where there are none. Seconds: ``answer``, for a command that makes no call; ``connect``, for a call."""

    port: str = ""
    speed: int = 115200
    partner: str = ""
    numbers: Numbers = Numbers()  # noqa: RUF009 - frozen
    against: tuple[str, ...] = ()
    make: str = ""
    cases: tuple[str, ...] = ()
    answer: float = 1.0
    connect: float = 60.0

    @property
    def device(self) -> str:
        """In words."""
        return self.port or " ".join(self.against) or f"a soft modem ({self.make or 'the rig-soft-modem'})"


def run_at(plan: AtPlan, progress: Progress) -> ConformVerdict:
    """Every case that is wanted. Raises UsageError for one that there is not, or a make that nobody knows,
    NoModemError where nothing at the port answers, and PortBusyError as a port does."""
    if plan.make:
        profiles.named(plan.make)
    return held_to(GROUPS, plan.cases, plan.device, device_of(plan), progress)


@contextlib.contextmanager
def device_of(plan: AtPlan) -> Iterator[Device[Tester]]:
    """What is to be held to it, taken down at the end."""
    if plan.port:
        with contextlib.ExitStack() as ports:
            line = ports.enter_context(SerialLine(plan.port, plan.speed, rtscts=False))
            other = ports.enter_context(SerialLine(plan.partner, plan.speed, rtscts=False)) if plan.partner else None
            device = PortDevice(line, other, plan.numbers, plan.answer, plan.connect)
            try:
                with device.fresh():
                    pass
            except NotAsSpecifiedError as error:
                raise NoModemError(f"{plan.port}: nothing there is a modem: {error}") from None
            yield device
    elif plan.against:
        yield ProgramDevice(plan.against, plan.answer)
    else:
        with soft_modems(plan.make, plan.answer) as modems:
            yield modems
