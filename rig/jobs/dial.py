"""The main job: numbers in order until one connects, PPP, checks, verdict, everything down again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivers.base.errors import CarrierLostError
from drivers.base.interruptions import waiting
from drivers.ppp.pppd import PppUp
from rig import lab
from rig.checks import gateway as checks
from rig.checks.gateway import Surroundings
from rig.checks.inbound.representative import Behind, Verification
from rig.config.bench import Bench
from rig.jobs.answer import promised_by
from rig.jobs.capture import Capture
from rig.jobs.ending import to_its_end
from rig.jobs.stage import Stage
from rig.links.near_end import NearEnd
from rig.run.command import run_command
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict


@dataclass(frozen=True)
class DialOptions:
    """``hold``: seconds that the session stays up after the checks; ``command``: what runs over it; ``inbound``: this
    is a service representative's call (§2.2.1), and the checks are those of what answers it."""

    numbers: tuple[str, ...]
    hold: float = 0.0
    command: tuple[str, ...] = ()
    inbound: bool = False


def run(bench: Bench, options: DialOptions, progress: Progress, capture: Capture | None = None) -> Verdict:
    """Dial, and say what holds. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = Verdict(bench.name, lab.current())
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner:
        stage = Stage.built(bench, owner, progress, capture, inbound=options.inbound)
        Call(stage, options, progress, verdict).run()
    verdict.timing.total = time.monotonic() - began
    return verdict


class Call:
    """One call's steps, in their order; each leaves what it found in the verdict. The near end is left connected."""

    def __init__(self, stage: Stage, options: DialOptions, progress: Progress, verdict: Verdict) -> None:
        self.stage = stage
        self.bench = stage.bench
        self.far_end = stage.far_end
        self.near = stage.near
        self.options = options
        self.progress = progress
        self.verdict = verdict

    def run(self) -> None:
        """Raises what ended it, where that was not the verdict on a session that was up."""
        self._session(self.near, self.stage.connect(self.options.numbers, self.verdict))

    def _session(self, near: NearEnd, up: PppUp) -> None:
        self.progress.note(f"{up.interface} is up: {up.local}, gateway {up.peer}, {up.auth}")
        if up.local == up.peer:
            self.progress.note(f"the gateway gives its own address, {up.peer}, to its caller")
        began = time.monotonic()
        with near.in_session():
            if self.options.inbound:
                self._verify(near, up)
            else:
                self._check(near, Surroundings.of(self.bench, near, up, self.far_end))
        self.verdict.timing.checks = time.monotonic() - began
        self.verdict.judge()
        if self.options.command:
            self._run_command(near, self.options.command)
        if self.options.hold:
            self._hold(near, self.options.hold)

    def _check(self, near: NearEnd, around: Surroundings) -> None:
        for check in checks.ALL:
            self.progress.begin(check.__name__.replace("_", " "))
            for result in check(around):
                self.verdict.checks.append(result)
                self.progress.end()
                self.progress.trace.extend()
                self.progress.note(result.line())
                if not near.session.running:
                    raise near.failure()

    def _verify(self, near: NearEnd, up: PppUp) -> None:
        """What answers an inbound call, held to the bench's [inbound]; nobody can look behind its filters."""
        assert self.bench.inbound is not None
        promised = replace(promised_by(self.bench, self.bench.inbound), strangers=True)  # what a device says is its own
        with self.progress.step("verifying what answered"):
            for result in Verification(near, up, promised, Behind()).run():
                self.verdict.checks.append(result)
                self.progress.note(result.line())
                if not near.session.running:
                    raise near.failure()

    def _run_command(self, near: NearEnd, command: Sequence[str]) -> None:
        """Somebody's own command over the session; the line is watched meanwhile by pppd's own end."""
        with self.progress.step(f"running {' '.join(command)}"), near.namespace.entered():
            try:
                self.verdict.command_status = run_command(command)
            except OSError as error:
                self.progress.note(f"{command[0]}: {error.strerror}")
                self.verdict.command_status = 127
        if self.verdict.command_status and self.verdict.exit == 0:
            self.verdict.outcome, self.verdict.exit = "COMMAND FAILED", 1
            self.verdict.message += f"; {command[0]} ended with status {self.verdict.command_status}"

    def _hold(self, near: NearEnd, seconds: float) -> None:
        with self.progress.step(f"holding the session for {seconds:g} s"), waiting():
            if near.session.wait_end(seconds):
                failure = near.failure()
                raise failure if isinstance(failure, CarrierLostError) else CarrierLostError(str(failure))
