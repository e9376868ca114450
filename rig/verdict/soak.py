"""What calls in a row came to, for a program to read: its keys are the command line's contract."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import CheckResult, Ending


class SoakCall(msgspec.Struct, frozen=True):
    """One call. Times in seconds: ``connect`` from dialling to CONNECT, ``ppp`` from there to IP up, 0 where it did not
    come to that; ``total`` with checks and hang-up. ``failed``: the checks that did not hold; ``arm``: the bench, where
    several are compared."""

    number: int
    started: str
    outcome: str
    exit: int
    rate: int = 0
    connect: float = 0.0
    ppp: float = 0.0
    total: float = 0.0
    message: str = ""
    failed: tuple[str, ...] = ()
    arm: str = ""


class Arm(msgspec.Struct, frozen=True):
    """One of several benches that are compared. ``share`` of good calls, with its bounds of 95 %; ``times``: medians in
    seconds, of the calls that came up; ``rate``: the median, in bit/s, 0 where none is known."""

    name: str
    calls: int
    good: int
    share: tuple[float, float, float]
    times: dict[str, float] = {}
    rate: float = 0.0


class Difference(msgspec.Struct, frozen=True):
    """By how much more of ``what`` an arm has than the first one: an estimate between bounds, in ``unit``; None where
    there were too few calls for any. ``worse`` None: no difference is shown."""

    arm: str
    what: str
    unit: str
    bounds: tuple[float, float, float] | None
    worse: bool | None = None

    def __str__(self) -> str:
        if self.bounds is None:
            return "too few calls to say"
        low, value, high = self.bounds
        within = f"{value:+.3g} {self.unit} ({low:+.3g} to {high:+.3g})"
        if self.worse is None:
            return f"no difference shown: {within}"
        return f"{within}, which is {'worse' if self.worse else 'better'}"


class SoakVerdict(Ending):
    """What a soak found. ``times``: p50, p95 and p99 of each part, in seconds, of the calls that came up;
    ``checks`` holds one for each outcome but OK that calls had. Where benches are compared, ``arms`` are these, and
    ``differences`` of each from the first; ``checks`` holds one for each of those."""

    bench: str
    lab: str
    numbers: tuple[str, ...] = ()
    wanted: int = 0
    calls: list[SoakCall] = msgspec.field(default_factory=list)
    good: int = 0
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    rates: dict[int, int] = msgspec.field(default_factory=dict)
    times: dict[str, tuple[float, float, float]] = msgspec.field(default_factory=dict)
    checks: list[CheckResult] = msgspec.field(default_factory=list)
    arms: list[Arm] = msgspec.field(default_factory=list)
    differences: list[Difference] = msgspec.field(default_factory=list)
