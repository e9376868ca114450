"""Which rule decides a packet: one header at a time, rule by rule, as the kernel does it.

Shares nothing with the sets but the rules: each is the other's test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.proof.header import ITSELF, Field, Header
from rig.proof.rules import Action, AnyOf, Chain, Masked, Match, Rule, RuleSet, Sometimes, Through, Within

Chance = Callable[[Sometimes], bool]
"""Whether what holds sometimes does so now."""


@dataclass(frozen=True)
class Decision:
    """``rule`` that decided, None for the policy of ``chain``."""

    passes: bool
    chain: str
    rule: Rule | None

    def __str__(self) -> str:
        return f"by {self.rule.place}: {self.rule.text}" if self.rule else f"by the policy of {self.chain}"


def decide(rules: RuleSet, header: Header, chance: Chance = lambda match: False) -> Decision:
    """What becomes of a packet: of the base chains on its way the first that drops it, or else the last."""
    way = "input" if header.going == ITSELF else "output" if header.coming == ITSELF else "forward"
    decided, asked = Decision(True, "no chain", None), _Asked(rules, dict(header.numbers()), header, chance)
    for name in rules.hooks.get(way, ()):
        chain = rules.chains[name]
        action, rule = asked.chain(chain)
        if action is Action.RETURN:
            action, rule = chain.policy, None
        decided = Decision(action is not Action.DROP, name, rule)
        if not decided.passes:
            break
    return decided


class _Asked:
    def __init__(self, rules: RuleSet, numbers: dict[Field, int], header: Header, chance: Chance) -> None:
        self._rules = rules
        self._numbers = numbers
        self._interfaces = {Field.IN: header.coming, Field.OUT: header.going}
        self._chance = chance

    def chain(self, chain: Chain) -> tuple[Action, Rule | None]:
        """ACCEPT or DROP and the rule, or RETURN where none decided."""
        for rule in chain.rules:
            if rule.action is Action.CONTINUE or not all(map(self._holds, rule.matches)):
                continue
            if rule.action not in (Action.JUMP, Action.GOTO):
                return rule.action, rule
            action, decider = self.chain(self._rules.chains[rule.target])
            if action is not Action.RETURN or rule.action is Action.GOTO:
                return action, decider
        return Action.RETURN, None

    def _holds(self, match: Match) -> bool:
        match match:
            case Within(field, ranges, negated):
                return any(low <= self._numbers[field] <= high for low, high in ranges) != negated
            case Through(field, pattern, negated):
                return _named(pattern, self._interfaces[field]) != negated
            case Masked(mask, value, negated):
                return (self._numbers[Field.FLAGS] & mask == value) != negated
            case AnyOf(ways, negated):
                return any(all(map(self._holds, way)) for way in ways) != negated
            case Sometimes():
                return self._chance(match)


def _named(pattern: str, interface: str) -> bool:
    if interface == ITSELF:
        return False
    if pattern.endswith("+"):
        return interface.startswith(pattern[:-1])
    return interface == pattern
