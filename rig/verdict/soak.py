"""What calls in a row came to, for a program to read: its keys are the command line's contract."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import CheckResult, Ending


class SoakCall(msgspec.Struct, frozen=True):
    """One call. Times in seconds: ``connect`` from dialling to CONNECT, ``ppp`` from there to IP up, 0 where it did not
    come to that; ``total`` with checks and hang-up. ``failed``: the checks that did not hold."""

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


class SoakVerdict(Ending):
    """What a soak found. ``times``: p50, p95 and p99 of each part, in seconds, of the calls that came up;
    ``checks`` holds one for each outcome but OK that calls had."""

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
