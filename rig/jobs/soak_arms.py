"""Benches that are compared by calls: which of two modems, firmwares or settings connects more often, or sooner.
``rig soak --arms``.

The calls of all are interleaved, so that the hour, the weather and the exchange are the same for each. In every round
each bench has one call, in an order that is drawn: none always follows another. What is shown is the difference from
the first bench, with bounds; where these have zero between them nothing is shown, however much the averages differ.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rig import lab
from rig.config.bench import Bench
from rig.drivers.modem.number import Number
from rig.jobs.ending import to_its_end
from rig.jobs.faults import told
from rig.jobs.soak import TIMES, Calls, Log, Opening, Stage, Values, conclude, tally
from rig.paths.built import Built, Making
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.run.trace import Trace
from rig.verdict.intervals import Interval, share, share_difference, shift
from rig.verdict.soak import Arm, Difference, SoakCall, SoakVerdict
from rig.verdict.verdict import CheckResult

LEVEL = 0.95
GOOD_CALLS = "good calls"
RATE = "connect rate"


@dataclass(frozen=True)
class ArmsPlan:
    """``arms``: two benches or more, of different names, each with the numbers to dial on it; ``calls`` of each;
    ``pause`` between two calls, in seconds; ``seed`` of their order."""

    arms: tuple[tuple[Bench, tuple[Number, ...]], ...]
    calls: int
    pause: float = 0.0
    seed: int = 2007

    @property
    def names(self) -> list[str]:
        return [bench.name for bench, _ in self.arms]

    def order(self) -> list[int]:
        """Which arm has which call: rounds, each in an order of its own."""
        drawn, found = random.Random(self.seed), []  # noqa: S311 - drawn again from the same seed
        for _ in range(self.calls):
            found += drawn.sample(range(len(self.arms)), len(self.arms))
        return found


def run(
    plan: ArmsPlan, folder: Path | None, progress: Progress, making: Making, opening: Opening
) -> tuple[SoakVerdict, Trace]:
    """Make the calls that are still to be made, each on a bench that is made for it: two benches may be of the same
    modem. Returns the verdict on all, and a trace as soak.run. Raises as Log does."""
    order, numbers = plan.order(), tuple(", ".join(numbers) for _, numbers in plan.arms)
    name = " and ".join(plan.names)
    log = Log(folder, name, numbers, seed=plan.seed)
    verdict = SoakVerdict(name, lab.current(), numbers, len(order))
    job = Calls(len(order), plan.pause, log, progress, opening)

    @contextlib.contextmanager
    def made(bench: Bench, numbers: tuple[Number, ...]) -> Iterator[Built]:
        with Owner() as owner, told(bench, owner.folder, progress):
            yield making(bench, numbers, owner, job.quiet, None)

    def stage_of(number: int) -> Stage:
        bench, numbers = plan.arms[order[number - 1]]
        return Stage(bench.name, made(bench, numbers), bench.name)

    with to_its_end(verdict, progress, None, "taking everything down"):
        if len(log.calls) < len(order):
            job.make(stage_of)
    compare(verdict, log.calls, plan.names)
    return verdict, job.trace


def compare(verdict: SoakVerdict, calls: Sequence[SoakCall], names: Sequence[str]) -> None:
    """Fill in what the calls come to, and how each arm differs from the first of ``names``. Of several comparisons each
    has bounds so wide that all of them together hold at LEVEL (Bonferroni)."""
    tally(verdict, calls)
    of = {name: [call for call in calls if call.arm == name] for name in names}
    first, *others = names
    level = 1 - (1 - LEVEL) / max(1, len(others))
    verdict.arms = [arm_of(name, of[name]) for name in names if of[name]]
    compared = [other for other in others if of[other] and of[first]]
    verdict.differences = [found for other in compared for found in _differences(of, first, other, level)]
    verdict.checks = [_check(one, first) for one in verdict.differences]
    worse = [one for one in verdict.differences if one.worse]
    better = [one for one in verdict.differences if one.worse is False]
    told = "; ".join(f"{one.arm}: {one.what} {one}" for one in [*worse, *better]) or "no difference shown"
    if not any(arm.good for arm in verdict.arms):
        conclude(verdict, "CALLS FAILED", 1, f"none of {len(calls)} calls was good: there is nothing to compare")
    elif not verdict.differences:
        conclude(verdict, "NOTHING COMPARED", 1, f"{len(calls)} calls, not one on each bench")
    else:
        message = f"{len(calls)} calls, beside {first}: {told}"
        conclude(verdict, *(("ARM WORSE", 1) if worse else ("OK", 0)), message)


def arm_of(name: str, calls: Sequence[SoakCall]) -> Arm:
    """What so many calls on one bench come to: one at least."""
    good, made = _good(calls)
    within = share(good, made, LEVEL)
    times = {what: median(found) for what, value in TIMES.items() if (found := _values(calls, value))}
    rates = _values(calls, lambda call: call.rate)
    return Arm(name, made, good, (within.low, within.value, within.high), times, median(rates) if rates else 0.0)


def _good(calls: Sequence[SoakCall]) -> tuple[int, int]:
    """How many were good, of how many."""
    return sum(call.exit == 0 for call in calls), len(calls)


def _values(calls: Sequence[SoakCall], value: Values) -> list[float]:
    """Of the good calls; a way that does not dial has none of some."""
    return [found for call in calls if call.exit == 0 and (found := value(call))]


def _differences(of: dict[str, list[SoakCall]], first: str, other: str, level: float) -> Iterator[Difference]:
    shares = share_difference(_good(of[first]), _good(of[other]), level)
    points = Interval(100 * shares.low, 100 * shares.value, 100 * shares.high)
    yield _difference(other, GOOD_CALLS, "points", points, more_is_worse=False)
    for what, value, unit, more_is_worse in (
        *((what, value, "s", True) for what, value in TIMES.items()),
        (RATE, lambda call: call.rate, "bit/s", False),
    ):
        one, beside = _values(of[first], value), _values(of[other], value)
        if one or beside:
            yield _difference(other, what, unit, shift(one, beside, level), more_is_worse=more_is_worse)


def _difference(arm: str, what: str, unit: str, within: Interval | None, *, more_is_worse: bool) -> Difference:
    if within is None:
        return Difference(arm, what, unit, None)
    worse = (within.value > 0) == more_is_worse if within.excludes_zero else None
    return Difference(arm, what, unit, (within.low, within.value, within.high), worse)


def _check(one: Difference, first: str) -> CheckResult:
    held = None if one.bounds is None else not one.worse
    return CheckResult(f"{one.arm}: {one.what}", f"beside {first}", "not worse", str(one), held)


def table(verdict: SoakVerdict) -> str:
    """The arms, and how they differ, as plain text."""
    width = max([len("bench"), *(len(arm.name) for arm in verdict.arms)]) + 2
    times = [what for what in TIMES if any(what in arm.times for arm in verdict.arms)]
    head = f"{'bench':<{width}}{'calls':>6}{'good':>6}{'share':>9}  {'bounds of 95 %':<16}" + "".join(
        f"{what:>{len(what) + 2}}" for what in times
    )
    rows = []
    for arm in verdict.arms:
        low, value, high = (f"{100 * one:.1f}" for one in arm.share)
        medians = "".join(
            f"{f'{arm.times[what]:.2f} s' if what in arm.times else '':>{len(what) + 2}}" for what in times
        )
        rows.append(f"{arm.name:<{width}}{arm.calls:>6}{arm.good:>6}{value:>7} %  {f'{low} to {high}':<16}{medians}")
    differences = [f"{one.arm}: {one.what}: {one}" for one in verdict.differences]
    return "\n".join([head, *rows, *(["", f"beside {verdict.arms[0].name}", *differences] if differences else [])])
