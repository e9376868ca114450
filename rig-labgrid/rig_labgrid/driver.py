"""What a client's tests call on a bench: each is a run of the rig on the machine where the bench stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.step import step
from rig_farm.outcome import Outcome

from rig_labgrid.remote import Bench
from rig_labgrid.resource import NetworkRigBench


@target_factory.reg_driver
@attr.s(eq=False)
class RigBenchDriver(Driver):
    """``number`` to dial where a call does not say another; ``reports``: the folder in which each run's report is put,
    in one of its own; without it, one that is made.

    Each method returns an Outcome, whatever the verdict; ``.check()`` raises where it is not a good one. Raises
    LeaseError and BenchLostError.
    """

    bindings = {"bench": {NetworkRigBench}}  # noqa: RUF012 - as labgrid has it
    number: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    reports: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    _runs: int = attr.ib(default=0, init=False)

    def _run(self, verb: str, words: Sequence[str]) -> Outcome:
        self._runs += 1
        folder = Path(self.reports) / f"{self.target.name}-{self._runs:03}-{verb}" if self.reports else None
        there: Bench = self.bench.there
        return there.run(verb, words, folder=folder, line=lambda line: self.logger.info("%s", line))

    def _dialling(self, number: str, words: Sequence[str]) -> list[str]:
        number = number or self.number
        return [*(("--number", number) if number else ()), *words]

    @Driver.check_active
    @step(args=["words"])
    def arm(self, *words: str) -> Outcome:
        """Wait until the bench's far end, where it has one while it is acquired, says that it is ready."""
        return self._run("arm", words)

    @Driver.check_active
    @step(args=["number", "words"])
    def dial(self, number: str = "", *words: str) -> Outcome:
        """Dial home: ``rig dial``."""
        return self._run("dial", self._dialling(number, words))

    @Driver.check_active
    @step(args=["words"])
    def connect(self, *words: str) -> Outcome:
        """Whatever way home the bench has: ``rig connect``."""
        return self._run("connect", words)

    @Driver.check_active
    @step(args=["number", "words"])
    def fence(self, number: str = "", *words: str) -> Outcome:
        """Probe the gateway's fence: ``rig fence check``."""
        return self._run("fence", self._dialling(number, words))

    @Driver.check_active
    @step(args=["words"])
    def answer(self, *words: str) -> Outcome:
        """Take one inbound call: ``rig answer``."""
        return self._run("answer", words)
