"""A proof of a live gateway's rules, and what the kernel that has them did with its counter-examples."""

from __future__ import annotations

from dataclasses import dataclass

from rig.probes.probe import Outcome
from rig.proof.coverage import Row
from rig.proof.found import CounterExample, Proof


@dataclass(frozen=True)
class Confirmed:
    """A counter-example, and what became of it as a packet: None where it was not sent, and ``why`` then."""

    example: CounterExample
    outcome: Outcome | None
    why: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether the kernel did with it as the rules were read; None where it was not sent."""
        if self.outcome is None or self.example.sometimes:
            return None
        return self.outcome.passed == self.example.leaks

    def __str__(self) -> str:
        if self.outcome is None:
            return f"{self.example}; not sent: {self.why}"
        did = "passes" if self.outcome.passed else "does not pass"
        return f"{self.example}; sent, it {did}"


@dataclass(frozen=True)
class Proven:
    """``proof`` of the rules as they stood after the probes; ``confirmed``: its counter-examples; ``coverage``: a row a
    rule."""

    proof: Proof
    confirmed: tuple[Confirmed, ...]
    coverage: tuple[Row, ...]

    @property
    def sent(self) -> list[Confirmed]:
        """The counter-examples that were sent, and could only pass or not."""
        return [one for one in self.confirmed if one.agrees is not None]

    @property
    def contradictions(self) -> list[str]:
        """Where the kernel does otherwise than the rules were read: one of the two is wrong, and nothing is proven."""
        sent = [f"the kernel does otherwise: {one}" for one in self.confirmed if one.agrees is False]
        counted = [
            f"{row.probes} probes should have come to a rule that counts {row.packets}: {row.chain}: {row.text}"
            for row in self.coverage
            if row.contradicts
        ]
        return sent + counted
