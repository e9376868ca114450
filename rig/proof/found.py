"""What a proof has come to."""

from __future__ import annotations

from dataclasses import dataclass

from rig.proof.deciding import Decision
from rig.proof.header import Header


@dataclass(frozen=True)
class CounterExample:
    """A header with which the rules do not do as declared. ``leaks``: it passes and should not; ``way``: what it
    belongs to, where it must pass; ``sometimes``: only at times, as a rate or a quota has it."""

    header: Header
    decision: Decision
    leaks: bool
    way: str = ""
    sometimes: bool = False

    def __str__(self) -> str:
        passes = "passes" if self.leaks else f"does not pass ({self.way})"
        return f"{'at times ' if self.sometimes else ''}{passes}: {self.header}; {self.decision}"


@dataclass(frozen=True)
class Proof:
    """``rules`` that were read, ``callers`` and ``ways`` that are declared around them; ``version``: of IP."""

    rules: int
    callers: int
    ways: int
    found: tuple[CounterExample, ...]
    seconds: float
    version: int = 4

    @property
    def holds(self) -> bool:
        return not self.found

    def __str__(self) -> str:
        if self.holds and self.version == 6:
            return f"proven: {self.rules} rules of IPv6, and no header passes"
        if self.holds:
            return f"proven: {self.rules} rules, {self.ways} ways that are declared pass, and no other header does"
        return f"not so: {self.rules} rules, {len(self.found)} counter-examples"
