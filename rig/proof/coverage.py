"""Which rule decided what: by the kernel's counters, before and after."""

from __future__ import annotations

from dataclasses import dataclass

from rig.proof.rules import Action, Rule, RuleSet


@dataclass(frozen=True)
class Row:
    """One rule: its text, how many ``packets`` it has matched meanwhile, and how many of the ``probes`` it decided, as
    the rules were read."""

    chain: str
    text: str
    action: str
    packets: int
    probes: int

    @property
    def reached(self) -> bool:
        return self.packets > 0

    @property
    def contradicts(self) -> bool:
        """More probes should have come to it than it has counted: the rules were not read as the kernel does."""
        return self.probes > self.packets


def rows(before: RuleSet, after: RuleSet, decided: dict[Rule, int]) -> list[Row]:
    """A row for each rule that was there all along and has a counter, but jumps. ``decided``: how many probes each rule
    of ``after`` is said to have decided."""
    earlier = {(chain.name, rule.text): rule.packets for chain in before.chains.values() for rule in chain.rules}
    found = []
    for chain in after.chains.values():
        for rule in chain.rules:
            was = earlier.get((chain.name, rule.text))
            if rule.packets is None or was is None or rule.action in (Action.JUMP, Action.GOTO):
                continue
            packets = rule.packets - was
            found.append(Row(chain.name, rule.text, rule.action.value, packets, decided.get(rule, 0)))
    return found


@dataclass(frozen=True)
class Changed:
    """What one rule set has and another has not, as lines."""

    gone: tuple[str, ...]
    new: tuple[str, ...]

    def lines(self) -> list[str]:
        """As a difference of two files is written."""
        return [*(f"- {line}" for line in self.gone), *(f"+ {line}" for line in self.new)]


def changed(before: RuleSet, after: RuleSet) -> Changed:
    """The difference of two rule sets, chain by chain, counters aside."""
    lines = [
        [f"{chain.name}: {rule.text}" for chain in one.chains.values() for rule in chain.rules]
        for one in (before, after)
    ]
    return Changed(
        tuple(line for line in lines[0] if line not in lines[1]),
        tuple(line for line in lines[1] if line not in lines[0]),
    )
