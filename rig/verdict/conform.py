"""What ``rig conform`` found."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import CheckResult, Ending


class GroupCount(msgspec.Struct):
    """Of one group: how many cases there are, of how many of the public list (``size``), and what they came to."""

    number: int
    title: str
    size: int
    cases: int = 0
    held: int = 0
    failed: int = 0
    not_run: int = 0


class ConformVerdict(Ending):
    """The outcome; its keys are the command line's contract. ``device``: what was held to it; ``coverage``: how many of
    the public list's cases there are, "n of m"; ``checks``: each case, by its number; ``seconds`` for all."""

    device: str
    lab: str
    coverage: str = ""
    seconds: float = 0.0
    groups: list[GroupCount] = msgspec.field(default_factory=list)
    checks: list[CheckResult] = msgspec.field(default_factory=list)
