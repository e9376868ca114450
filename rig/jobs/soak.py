"""Calls in a row: how often they come up, how fast, and how they fail. ``rig soak``, and ``rig dial --repeat``.

Each call is on disk when it is over, one JSON object a line; a soak that was interrupted goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rig import lab
from rig.config.bench import Bench
from rig.drivers.base.errors import CannotRunError, ConfigError, RigError, UsageError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.typed_json import from_json
from rig.drivers.modem.number import Number
from rig.jobs.ending import to_its_end
from rig.jobs.faults import told
from rig.paths.built import Built, Making
from rig.run.progress import Progress
from rig.run.trace import Trace
from rig.run.transcript import stamp
from rig.verdict.soak import SoakCall, SoakVerdict
from rig.verdict.verdict import CheckResult, Verdict, as_json

MARK, VERSION = "rig soak", 1
FILE = "calls.jsonl"
AFTER_FAILURE = 1.0
"""Seconds at least after a call that failed: a modem that is not there fails at once."""


@dataclass(frozen=True)
class SoakPlan:
    """``calls``: how many in all, those that are on disk included; ``pause`` between two, in seconds."""

    numbers: tuple[Number, ...]
    calls: int
    pause: float = 0.0


class Log:
    """The calls of a soak, on disk in a folder, or in memory alone where there is none. ``more``: what else says which
    soak it is.

    Raises ConfigError for a file that is no such log, UsageError for one of another bench or other numbers.
    """

    def __init__(self, folder: Path | None, bench: str, numbers: Sequence[str], **more: Any) -> None:
        self.calls: list[SoakCall] = []
        self._path = folder / FILE if folder is not None else None
        head = {MARK: VERSION, "bench": bench, "numbers": list(numbers), **more}
        if self._path is None:
            return
        if not self._path.exists() or not self._load(self._path, head):
            self._append(head)

    def _load(self, path: Path, head: dict[str, Any]) -> bool:
        """Take over what is there; whether there is anything."""
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):  # the machine died as it was written: that call is made again
            whole = whole[: -len(lines.pop())]
            os.truncate(path, len(whole))
        for number, line in enumerate(lines, 1):
            try:
                if number > 1:
                    self.calls.append(from_json(line, SoakCall))
                elif (found := json.loads(line)) != head:
                    raise UsageError(
                        f"{path} is of a soak of {found.get('numbers')} on bench {found.get('bench')}",
                        "name another folder, or the same numbers and bench to go on with it",
                    )
            except (ValueError, AttributeError, msgspec.MsgspecError) as error:
                raise ConfigError(f"{path}: line {number}: {error}") from None
        return bool(lines)

    def _append(self, value: Any) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(as_json(value).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def add(self, call: SoakCall) -> None:
        self.calls.append(call)
        self._append(call)


Opening = Callable[[Built, Progress, Verdict], None]
"""One opening of the way, with its checks, which leaves what it found in the verdict. The way is left open."""


def run(
    bench: Bench, plan: SoakPlan, folder: Path | None, progress: Progress, making: Making, opening: Opening
) -> tuple[SoakVerdict, Trace]:
    """Make the calls that are still to be made; the verdict on all of them, and the trace of the first that failed, or
    of the last. Raises as Log does."""
    log = Log(folder, bench.name, plan.numbers)
    verdict = SoakVerdict(bench.name, lab.current(), plan.numbers, plan.calls)
    job = Calls(plan.calls, plan.pause, log, progress, opening)
    with to_its_end(verdict, progress, None, "taking everything down") as owner, told(bench, owner.folder, progress):
        if len(log.calls) < plan.calls:
            with progress.step("setting up"):
                built = making(bench, plan.numbers, owner, job.quiet, None)
            job.make(lambda number: Stage(bench.name, contextlib.nullcontext(built)))
    judge(verdict, log.calls)
    return verdict, job.trace


@dataclass(frozen=True)
class Stage:
    """Where a call is made: a bench by its name, and how it is had for the time of the call; ``arm``: see SoakCall."""

    bench: str
    built: AbstractContextManager[Built]
    arm: str = ""


class Calls:
    """The calls of one run of the command, ``calls`` in all, ``pause`` seconds between two. ``trace``: of the first
    that failed, or of the last."""

    def __init__(self, calls: int, pause: float, log: Log, progress: Progress, opening: Opening) -> None:
        self._opening = opening
        self._wanted, self._between = calls, pause
        self.quiet = Progress.silent()
        self.log = log
        self.progress = progress
        self.trace = progress.trace
        self._failure_kept = False

    def make(self, stage_of: Callable[[int], Stage]) -> None:
        """Those that are still to be made; ``stage_of`` each by its number, from 1."""
        done = len(self.log.calls)
        if done:
            self.progress.note(f"going on after {done} calls")
        with self.progress.step(f"{self._wanted - done} calls"):
            for number in range(done + 1, self._wanted + 1):
                self.progress.advance(number - 1 - done, self._wanted - done)
                stage = stage_of(number)
                call = self._one(stage, number)
                self.log.add(call)
                self.progress.note(in_words(call))
                if number < self._wanted:
                    self._pause(max(self._between, AFTER_FAILURE if call.exit else 0.0))

    def _one(self, stage: Stage, number: int) -> SoakCall:
        """One call, whatever becomes of it. Raises Interrupted, and CannotRunError: the next call could not either."""
        quiet, quiet.trace = self.quiet, Trace()
        verdict, started = Verdict(stage.bench, lab.current()), time.time()
        began, ended = time.monotonic(), 0.0
        try:
            with stage.built as built:
                began = time.monotonic()
                try:
                    self._opening(built, quiet, verdict)
                finally:
                    with quiet.step("hanging up"):
                        built.path.close()
                    ended = time.monotonic()  # to take down what was made for this call alone is no part of it
        except CannotRunError:
            raise
        except RigError as error:
            verdict.end_with(error)
        if not self._failure_kept:
            self.trace, self._failure_kept = quiet.trace, verdict.exit != 0
        return SoakCall(
            number,
            stamp(started),
            verdict.outcome,
            verdict.exit,
            verdict.connect.rate,
            verdict.timing.connect,
            verdict.timing.ppp,
            (ended or time.monotonic()) - began,
            verdict.message,
            tuple(check.name for check in verdict.checks if check.held is False),
            stage.arm,
        )

    @staticmethod
    def _pause(seconds: float) -> None:
        if seconds:
            with waiting():
                threading.Event().wait(seconds)  # what was asked for


def in_words(call: SoakCall) -> str:
    """One call, as a line of progress."""
    rate = f", {call.rate} bit/s" if call.rate else ""
    why = f": {call.message}" if call.exit else ""
    on = f" on {call.arm}" if call.arm else ""
    return f"call {call.number}{on}: {call.outcome}{rate}, {call.total:.1f} s{why}"


def percentiles(values: Iterable[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 of one value or more, by nearest rank: each is a time that a call truly took."""
    ranked = sorted(values)
    p50, p95, p99 = (ranked[max(0, -(-len(ranked) * percent // 100) - 1)] for percent in (50, 95, 99))
    return p50, p95, p99


Values = Callable[[SoakCall], float]
TIMES: dict[str, Values] = {
    "dial to CONNECT": lambda call: call.connect,
    "CONNECT to IP up": lambda call: call.ppp,
    "whole call, with checks": lambda call: call.total,
}
"""The parts of a call, in seconds."""


def judge(verdict: SoakVerdict, calls: Sequence[SoakCall]) -> None:
    """Fill in what the calls come to. What ended the run itself, such as an interruption, stays its outcome."""
    tally(verdict, calls)
    verdict.checks = [
        CheckResult("calls", f"{len(calls)}", "OK", f"{count} ended with {outcome}", False)
        for outcome, count in verdict.outcomes.items()
        if outcome != "OK"
    ]
    failed = ", ".join(f"{count} {outcome}" for outcome, count in verdict.outcomes.items() if outcome != "OK")
    message = f"{verdict.good} of {len(calls)} calls were good" + (f"; {failed}" if failed else "")
    conclude(verdict, *(("CALLS FAILED", 1) if failed or not calls else ("OK", 0)), message)


def conclude(verdict: SoakVerdict, outcome: str, status: int, message: str) -> None:
    """Say how it ended, and what it came to, where the run itself was not ended by something else."""
    if verdict.message:
        verdict.message = f"{verdict.message}; {message}"
        return
    verdict.outcome, verdict.exit, verdict.message = outcome, status, message


def tally(verdict: SoakVerdict, calls: Sequence[SoakCall]) -> None:
    """Fill in the calls, and how many there are of each kind."""
    verdict.calls = list(calls)
    verdict.outcomes = dict(Counter(call.outcome for call in calls).most_common())
    verdict.good = sum(call.exit == 0 for call in calls)
    verdict.rates = dict(sorted(Counter(call.rate for call in calls if call.rate).items()))
    up = [call for call in calls if call.ppp]
    if up:
        verdict.times = {what: percentiles(map(value, up)) for what, value in TIMES.items()}
    elif verdict.good:  # of a way that does not dial
        verdict.times = {"whole, with checks": percentiles(call.total for call in calls if call.exit == 0)}


def table(verdict: SoakVerdict) -> str:
    """The soak as plain text; of what no call came to there is no table."""
    outcomes = [
        f"{outcome:<24}{count:>8}{100 * count / len(verdict.calls):>8.1f}%"
        for outcome, count in verdict.outcomes.items()
    ]
    rates = [f"{rate:<24}{count:>8}" for rate, count in verdict.rates.items()]
    times = [f"{name:<24}" + "".join(f"{value:>8.2f}" for value in values) for name, values in verdict.times.items()]
    tables = [
        (f"{'outcome':<24}{'calls':>8}{'share':>9}", outcomes),
        (f"{'connect rate, bit/s':<24}{'calls':>8}", rates),
        (f"{'seconds':<24}{'p50':>8}{'p95':>8}{'p99':>8}", times),
    ]
    return "\n\n".join("\n".join([head, *rows]) for head, rows in tables if rows)
