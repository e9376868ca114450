"""Which headers a gateway's rules let through: all of them at once, as sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rig.proof.header import ITSELF, Field
from rig.proof.rules import Action, Chain, Rule, RulesError, RuleSet
from rig.proof.space import Set, Space

DEEPEST = 64
"""Chains that jump into each other; the kernel refuses a loop."""


@dataclass(frozen=True)
class Passing:
    """The headers that pass in every case, and those that pass in some; they differ where a rule has a rate, a quota or
    the like."""

    certain: Set
    possible: Set


@dataclass(frozen=True)
class _Left:
    """What of a set a chain has accepted, dropped, and handed back."""

    accepted: Set
    dropped: Set
    returned: Set


class Passage:
    """Goes through the chains of a rule set with whole sets of headers."""

    def __init__(self, rules: RuleSet, space: Space) -> None:
        self._rules = rules
        self._space = space
        self._of_rule: dict[int, Set] = {}
        self.domain = space.sound
        if rules.tracked:  # conntrack has put fragments together before any rule is asked
            self.domain &= space.exactly(Field.FRAGMENT, 0)

    def all(self) -> Passing:
        """Over every way through the gateway: forwarded, to itself, from itself."""
        passed = self._space.one_of(self._by_way(way, headers) for way, headers in self._ways())
        return Passing(self._space.certain(passed), self._space.possible(passed))

    def _ways(self) -> Iterator[tuple[str, Set]]:
        to_itself = self._space.through(Field.OUT, ITSELF)
        from_itself = self._space.through(Field.IN, ITSELF)
        yield "forward", self.domain & ~to_itself & ~from_itself
        yield "input", self.domain & to_itself
        yield "output", self.domain & from_itself

    def _by_way(self, way: str, headers: Set) -> Set:
        """A packet passes when no base chain on its way drops it."""
        for name in self._rules.hooks.get(way, ()):
            chain = self._rules.chains[name]
            left = self._chain(chain, headers, 0)
            headers = left.accepted if chain.policy is Action.DROP else left.accepted | left.returned
        return headers

    def _chain(self, chain: Chain, headers: Set, depth: int) -> _Left:
        if depth > DEEPEST:
            raise RulesError(f"{self._rules.source}: chain {chain.name} is reached from itself", "")
        space = self._space
        accepted, dropped, returned = [], [], []
        for run in _runs(chain.rules):
            if headers == space.nothing:
                break
            action = run[0].action
            if action is Action.CONTINUE:
                continue
            taken = headers & space.one_of(map(self._matches, run))
            if action is Action.ACCEPT:
                accepted.append(taken)
            elif action is Action.DROP:
                dropped.append(taken)
            elif action is Action.RETURN:
                returned.append(taken)
            else:
                below = self._chain(self._rules.chains[run[0].target], taken, depth + 1)
                accepted.append(below.accepted)
                dropped.append(below.dropped)
                if action is Action.GOTO:
                    returned.append(below.returned)
                else:
                    taken &= ~below.returned
            headers &= ~taken
        return _Left(space.one_of(accepted), space.one_of(dropped), space.one_of([*returned, headers]))

    def _matches(self, rule: Rule) -> Set:
        """Once for each rule: what it does only sometimes it does at one time alike, from wherever it is reached."""
        if id(rule) not in self._of_rule:
            self._of_rule[id(rule)] = self._space.matching(rule.matches)
        return self._of_rule[id(rule)]


def _runs(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Rules one after another that do the same, together: what they match may then be joined beforehand."""
    run: list[Rule] = []
    for rule in rules:
        alike = run and run[0].action is rule.action and rule.action not in (Action.JUMP, Action.GOTO)
        if not alike and run:
            yield run
            run = []
        run.append(rule)
    if run:
        yield run
