"""From a bench that idles to one whose gateway has held its fence, each step on the one before."""

from __future__ import annotations

import enum

import attr
from labgrid.factory import target_factory
from labgrid.step import step
from labgrid.strategy.common import Strategy, StrategyError, never_retry


class Status(enum.Enum):
    """How far a bench has come."""

    unknown = 0
    idle = 1
    armed = 2
    called = 3
    fenced = 4


@target_factory.reg_driver
@attr.s(eq=False)
class RigBenchStrategy(Strategy):
    """idle, armed (the far end is ready), called (a call came up and every check held), fenced (so did the fence).
    Raises CallFailedError, as the cause of labgrid's StrategyError, where a step does not succeed."""

    bindings = {"driver": "RigBenchDriver"}  # noqa: RUF012 - as labgrid has it
    status: Status = attr.ib(default=Status.unknown)

    @never_retry
    @step(args=["status"])
    def transition(self, status: Status | str, *, step: object) -> None:
        """Go there, through what is between."""
        wanted = _status(status)
        if self.status in (Status.unknown, Status.idle) or wanted is Status.idle:
            self.target.activate(self.driver)
            self.status = Status.idle
        done = {Status.armed: self.driver.arm, Status.called: self.driver.dial, Status.fenced: self.driver.fence}
        for stage, do in done.items():
            if self.status.value < stage.value <= wanted.value:
                do().check()
                self.status = stage

    @never_retry
    @step(args=["status"])
    def force(self, status: Status | str, *, step: object) -> None:
        """Say that the bench is there already (``--lg-initial-state``)."""
        self.target.activate(self.driver)
        self.status = _status(status)


def _status(status: Status | str) -> Status:
    """Raises StrategyError for what is none."""
    try:
        found = status if isinstance(status, Status) else Status[status]
    except KeyError:
        found = Status.unknown
    if found is Status.unknown:
        raise StrategyError(
            f"{status}: no state of a bench; they are {', '.join(one.name for one in list(Status)[1:])}"
        )
    return found
