"""The main job: whatever way home a bench has, up, its checks, a verdict, and everything down again."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rig import lab
from rig.checks import every
from rig.config.bench import Bench
from rig.drivers.base.errors import CarrierLostError, RigError
from rig.drivers.base.interruptions import waiting
from rig.drivers.modem.number import Number
from rig.jobs.ending import to_its_end
from rig.jobs.faults import happened
from rig.jobs.probing import surroundings
from rig.paths.built import Built, Making
from rig.paths.path import over
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.command import run_command
from rig.run.control import ControlError
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict, WayReport


@dataclass(frozen=True)
class ConnectOptions:
    """``numbers``: for a way that dials; ``hold``: seconds that it stays up after the checks; ``command``: what runs
    over it."""

    numbers: tuple[Number, ...] = ()
    hold: float = 0.0
    command: tuple[str, ...] = ()


Checking = Callable[[Built, Up], Iterator[tuple[str, Iterator[CheckResult]]]]
"""What is checked on a way that is up: each check's name, and its results as they come."""


def every_check(built: Built, up: Up) -> Iterator[tuple[str, Iterator[CheckResult]]]:
    """All that hold for this kind of way."""
    around = surroundings(built, up)
    return ((check.name, check(around)) for check in every.for_way(up.kind))


def run(
    bench: Bench,
    options: ConnectOptions,
    progress: Progress,
    making: Making,
    capture: Capture | None = None,
    checking: Checking = every_check,
) -> Verdict:
    """Bring the way up, and say what holds. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = Verdict(bench.name, lab.current())
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner:
        built = making(bench, options.numbers, owner, progress, capture)
        faults = functools.partial(happened, bench, owner.folder, progress)
        WayHome(built, options, progress, verdict, checking, faults).run()
    verdict.timing.total = time.monotonic() - began
    return verdict


def open_once(built: Built, progress: Progress, verdict: Verdict) -> None:
    """One opening, with its checks; raises as WayHome.run."""
    WayHome(built, ConnectOptions(), progress, verdict).run()


class WayHome:
    """One opening's steps, in their order; each leaves what it found in the verdict. The way is left open. ``faults``:
    asked last whether those have happened that the bench has."""

    def __init__(
        self,
        built: Built,
        options: ConnectOptions,
        progress: Progress,
        verdict: Verdict,
        checking: Checking = every_check,
        faults: Callable[[], Iterable[CheckResult]] = tuple,
    ) -> None:
        self._faults = faults
        self.built = built
        self.checking = checking
        self.path = built.path
        self.options = options
        self.progress = progress
        self.verdict = verdict

    def run(self) -> None:
        """Raises what ended it, where that was not the verdict on a way that was up."""
        try:
            up = self._open_and_check()
        except RigError:
            with contextlib.suppress(ControlError):
                self.verdict.checks.extend(self._faults())
            raise
        self.verdict.checks.extend(self._faults())
        self.verdict.judge()
        if self.options.command:
            self._run_command(up, self.options.command)
        if self.options.hold:
            self._hold(self.options.hold)

    def _open_and_check(self) -> Up:
        began = time.monotonic()
        up = self.path.open(self.verdict)
        took = time.monotonic() - began
        self.verdict.way = WayReport(up.kind, up.interface, up.source, up.gateway, up.mtu, took, up.facts)
        self._tell(up)
        began = time.monotonic()
        with over(self.path):
            self._check(up)
        self.verdict.timing.checks = time.monotonic() - began
        return up

    def _tell(self, up: Up) -> None:
        """What a person wants to know of it, now that it is up."""
        by = f", {up.ppp.auth}" if up.ppp else ""
        self.progress.note(f"{up.interface} is up: {up.source}, gateway {up.gateway}{by}")
        if up.source == up.gateway:
            self.progress.note(f"the gateway gives its own address, {up.gateway}, to its caller")

    def _check(self, up: Up) -> None:
        for name, results in self.checking(self.built, up):
            self.progress.begin(name)
            for result in results:
                self.verdict.checks.append(result)
                self.progress.end()
                self.progress.trace.extend()
                self.progress.note(result.line())
                if not self.path.alive():
                    raise self.path.failure()

    def _run_command(self, up: Up, command: Sequence[str]) -> None:
        """Somebody's own command over the way; it is watched meanwhile by its own end."""
        with self.progress.step(f"running {' '.join(command)}"), up.namespace.entered():
            try:
                self.verdict.command_status = run_command(command)
            except OSError as error:
                self.progress.note(f"{command[0]}: {error.strerror}")
                self.verdict.command_status = 127
        if self.verdict.command_status and self.verdict.exit == 0:
            self.verdict.outcome, self.verdict.exit = "COMMAND FAILED", 1
            self.verdict.message += f"; {command[0]} ended with status {self.verdict.command_status}"

    def _hold(self, seconds: float) -> None:
        with self.progress.step(f"holding the session for {seconds:g} s"), waiting():
            if self.path.ends_within(seconds):
                failure = self.path.failure()
                raise failure if isinstance(failure, CarrierLostError) else CarrierLostError(str(failure))
