"""A gateway's rules held to what its fence declares: no other header passes, and all that must does."""

from __future__ import annotations

import time

from rig.proof.deciding import Decision, decide
from rig.proof.declared import Around, Declared, declared, tastes
from rig.proof.found import CounterExample, Proof
from rig.proof.header import Field, Header
from rig.proof.passing import Passage, Passing
from rig.proof.rules import Action, RuleSet
from rig.proof.space import Set, Space

MOST = 20
"""Counter-examples that are looked for; a fence that is open has billions."""


def prove(rules: RuleSet, around: Around) -> Proof:
    """Compare what passes with what is declared. ``rules`` and what ``around`` says are of the same moment. Raises
    RulesError for rules that jump in a circle, and ValueError where nobody is there: nothing would be proven."""
    if not around.callers:
        raise ValueError("no session is there to prove anything about")
    began = time.monotonic()
    space = Space([caller.interface for caller in around.callers], {around.pattern, *rules.patterns()}, rules.version)
    wanted, passing = declared(space, around), Passage(rules, space).all()
    search = _Search(rules, space, around)
    found = (*search.leaks(wanted, passing), *search.shut(wanted, passing))
    callers = len(around.callers)
    seconds = time.monotonic() - began
    return Proof(sum(1 for _ in rules.rules), callers, len(wanted.must), found, seconds, rules.version)


class _Search:
    """Looks for counter-examples, each of another kind."""

    def __init__(self, rules: RuleSet, space: Space, around: Around) -> None:
        self._rules = rules
        self._space = space
        self._tastes = tastes(space, around, around.callers[0])

    def leaks(self, wanted: Declared, passing: Passing) -> list[CounterExample]:
        """One for each rule that lets something through that is not declared."""
        found: list[CounterExample] = []
        left = passing.possible & wanted.asked & ~wanted.may
        while len(found) < MOST and (header := self._space.pick(left, self._tastes)) is not None:
            at_times = not self._space.has(passing.certain, header)
            decision = self._decided(header, passes=True)
            found.append(CounterExample(header, decision, leaks=True, sometimes=at_times))
            left &= ~self._of_its_kind(header, decision)
        return found

    def _decided(self, header: Header, *, passes: bool) -> Decision:
        """How it comes to that: where a rule holds sometimes, with all that do holding or none of them."""
        ways = [decide(self._rules, header), decide(self._rules, header, lambda match: True)]
        return next((way for way in ways if way.passes is passes), ways[0])

    def _of_its_kind(self, header: Header, decision: Decision) -> Set:
        """What the same rule decides alike; of a policy, or of a chance of several rules, what goes the same way."""
        kind = self._space.only(header)
        if decision.rule is not None and decision.passes and decision.rule.action is Action.ACCEPT:
            kind |= self._space.possible(self._space.matching(decision.rule.matches))
        if decision.rule is None or not decision.passes:
            kind |= self._space.through(Field.IN, header.coming) & self._space.through(Field.OUT, header.going)
        return kind

    def shut(self, wanted: Declared, passing: Passing) -> list[CounterExample]:
        """One for each way that must pass and does not."""
        found: list[CounterExample] = []
        for way in wanted.must:
            missing = way.headers & wanted.asked & ~passing.certain
            header = self._space.pick(missing, self._tastes)
            if header is not None and len(found) < MOST:
                at_times = self._space.has(passing.possible, header)
                decision = self._decided(header, passes=False)
                found.append(CounterExample(header, decision, leaks=False, way=way.name, sometimes=at_times))
        return found
