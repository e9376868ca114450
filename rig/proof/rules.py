"""A gateway's rules as they were read, whoever wrote them: iptables, or nft."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from rig.drivers.base.errors import UsageError
from rig.proof.header import Field


class RulesError(UsageError):
    """A rule that is not understood: nothing is proven then. Says the file, the line and the words."""


@dataclass(frozen=True)
class Within:
    """``field`` is in one of the ranges, both ends included; or in none, where ``negated``."""

    field: Field
    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


@dataclass(frozen=True)
class Through:
    """The packet comes in, or goes out (``field``), by this interface; a last ``+`` stands for anything."""

    field: Field
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Masked:
    """TCP flags: those of ``mask`` are exactly ``value``."""

    mask: int
    value: int
    negated: bool = False


@dataclass(frozen=True)
class Sometimes:
    """Holds for some packets and not for others, and no header says for which: a rate, a quota, a mark."""

    what: str


@dataclass(frozen=True)
class AnyOf:
    """One of several conjunctions; or none of them, where ``negated``."""

    ways: tuple[tuple[Match, ...], ...]
    negated: bool = False


Match = Within | Through | Masked | Sometimes | AnyOf


class Action(Enum):
    """What a rule does with what it matches. ``CONTINUE``: it goes on to the next rule, as after a log."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    CONTINUE = "continue"
    JUMP = "jump"
    GOTO = "goto"


@dataclass(frozen=True)
class Rule:
    """``place``: the line of the file, or nft's handle; ``text``: as it was written; ``packets`` that it counted, None
    where it has no counter; ``target``: the chain of a jump."""

    place: str
    text: str
    matches: tuple[Match, ...]
    action: Action
    target: str = ""
    packets: int | None = None


@dataclass(frozen=True)
class Chain:
    """``policy``: what becomes of what no rule of a base chain decides; CONTINUE for a chain that is jumped to, which
    returns."""

    name: str
    rules: tuple[Rule, ...] = ()
    policy: Action = Action.CONTINUE


@dataclass(frozen=True)
class RuleSet:
    """``chains`` by name; ``hooks``: the base chains that a packet goes through, in their order, by the way that it
    takes: ``forward``, ``input``, ``output``. ``tracked``: whether conntrack looks at packets before any rule, and so
    puts fragments together (nf_defrag).
    ``version``: of IP."""

    source: str
    chains: dict[str, Chain]
    hooks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tracked: bool = True
    version: int = 4

    @property
    def rules(self) -> Iterator[Rule]:
        for chain in self.chains.values():
            yield from chain.rules

    def patterns(self) -> set[str]:
        """The interfaces that rules name."""
        found: set[str] = set()
        for rule in self.rules:
            found |= _patterns(rule.matches)
        return found


def _patterns(matches: tuple[Match, ...]) -> set[str]:
    found: set[str] = set()
    for match in matches:
        if isinstance(match, Through):
            found.add(match.pattern)
        elif isinstance(match, AnyOf):
            for way in match.ways:
                found |= _patterns(way)
    return found


def of_protocol(protocol: int) -> tuple[Match, Match]:
    """A packet of a protocol that has its header in it: a later fragment has none."""
    return Within(Field.PROTOCOL, ((protocol, protocol),)), Within(Field.FRAGMENT, ((0, 0),))


def with_port(
    field: Field, protocol: int, ranges: tuple[tuple[int, int], ...], *, negated: bool = False
) -> list[Match]:
    """A port of a protocol that has them. A later fragment has none, and matches neither this nor its opposite."""
    return [*of_protocol(protocol), Within(field, ranges, negated)]
