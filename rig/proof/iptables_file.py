"""Rules as ``iptables-save -c`` prints them (iptables-extensions(8)).

What is not known is refused by name: a rule that was skipped would be proven to do nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NoReturn

from rig.proof import iptables_matches as matches
from rig.proof.rules import Action, Chain, Match, Rule, RulesError, RuleSet, Sometimes

WAYS = {
    "forward": (("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "FORWARD"), ("filter", "FORWARD"),
                ("security", "FORWARD"), ("mangle", "POSTROUTING")),
    "input": (("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "INPUT"), ("filter", "INPUT"),
              ("security", "INPUT")),
    "output": (("raw", "OUTPUT"), ("mangle", "OUTPUT"), ("filter", "OUTPUT"), ("security", "OUTPUT"),
               ("mangle", "POSTROUTING")),
}  # fmt: skip
"""The base chains on each way through a gateway that may drop a packet, in the kernel's order."""
MASKING = ("MASQUERADE", "SNAT")
"""Targets that change a packet behind the last rule that could drop it."""
VERDICTS = {"ACCEPT": Action.ACCEPT, "DROP": Action.DROP, "REJECT": Action.DROP, "RETURN": Action.RETURN}
ASIDE = ("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TCPMSS", "TOS", "DSCP", "TTL", "CLASSIFY", "CHECKSUM", "AUDIT")
"""Targets after which a packet goes on as it was, to what a rule can ask of it: a mark is asked for by ``-m mark``,
which holds only sometimes."""
TABLES = ("raw", "mangle", "filter", "security", "nat")


@dataclass
class _Table:
    name: str
    policies: dict[str, Action] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)


def read(text: str, source: str, version: int = 4) -> RuleSet:
    """The rules of a file, with or without counters, or of one that iptables-restore takes. ``source``: what errors
    call it; ``version``: 6 for those of ip6tables. Raises RulesError for what is not understood, and where there is no
    filter table."""
    return _Reader(source, version).read(text)


class _Reader:
    def __init__(self, source: str, version: int) -> None:
        self._source = source
        self._version = version
        self._number = 0
        self._line = ""
        self._tables: dict[str, _Table] = {}
        self._table: _Table | None = None

    def read(self, text: str) -> RuleSet:
        for self._number, line in enumerate(text.splitlines(), 1):
            self._line = line.strip()
            if self._line and not self._line.startswith("#"):
                self._one()
        if self._table is not None:
            raise RulesError(f"{self._source}: table {self._table.name} has no COMMIT", "the file ends too soon")
        if "filter" not in self._tables:
            raise RulesError(f"{self._source}: no filter table is there", "iptables-save -c   prints every table")
        return self._put_together()

    def _one(self) -> None:
        line = self._line
        if line.startswith("*"):
            self._table = self._tables.setdefault(line[1:], _Table(line[1:]))
            if line[1:] not in TABLES:
                self._refuse(f"table {line[1:]} is not known")
        elif self._table is None:
            self._refuse("a table's name, as *filter, is missing before this")
        elif line == "COMMIT":
            self._table = None
        elif line.startswith(":"):
            self._chain(self._table, line)
        else:
            self._rule(self._table, line)

    def _chain(self, table: _Table, line: str) -> None:
        words = line[1:].split()
        if len(words) < 2 or words[1] not in ("ACCEPT", "DROP", "-"):
            self._refuse("a chain is written :NAME POLICY [PACKETS:BYTES]")
        table.policies[words[0]] = VERDICTS.get(words[1], Action.CONTINUE)
        table.rules.setdefault(words[0], [])

    def _rule(self, table: _Table, line: str) -> None:
        counted = re.match(r"\[(\d+):\d+\]\s+", line)
        try:
            words = shlex.split(line[counted.end() :] if counted else line)
        except ValueError as error:
            self._refuse(str(error))
        if len(words) < 2 or words[0] not in ("-A", "-I", "-F"):
            self._refuse("a rule is written -A CHAIN MATCHES -j TARGET")
        if words[1] not in table.rules:
            self._refuse(f"chain {words[1]} is not declared in table {table.name}")
        chain = table.rules[words[1]]
        if words[0] == "-F":
            chain.clear()
            return
        rule = self._parsed(table, words[1], words[2:])
        packets = int(counted[1]) if counted else None
        rule = replace(rule, text=line[counted.end() :] if counted else line, packets=packets)
        chain.insert(0 if words[0] == "-I" else len(chain), rule)

    def _parsed(self, table: _Table, chain: str, words: list[str]) -> Rule:
        said = matches.Said(tuple(words), self._refuse, self._version)
        action, target = Action.CONTINUE, ""
        while said.more:
            negated = said.taken("!")
            word = said.next()
            if word in ("-j", "--jump", "-g", "--goto"):
                action, target = self._target(table, chain, said, goto=word in ("-g", "--goto"))
                break
            said.negated = negated
            known = matches.OPTIONS.get(word)
            if known is None:
                self._refuse(f"the match {word} is not known")
            known(said)
        return Rule(f"line {self._number}", "", tuple(_narrowed(said.found())), action, target)

    def _target(self, table: _Table, chain: str, said: matches.Said, *, goto: bool) -> tuple[Action, str]:
        name, rest = said.next(), said.rest()
        if name in VERDICTS:
            if rest and name != "REJECT":
                self._refuse(f"{name} takes no {rest[0]}")
            return VERDICTS[name], ""
        if name in ASIDE or (name == "CT" and rest and rest[0] == "--helper"):
            return Action.CONTINUE, ""
        if table.name == "nat" and chain in ("POSTROUTING", "OUTPUT") and name in MASKING:
            return Action.CONTINUE, ""
        if name not in table.rules:
            self._refuse(f"the target {name} is neither known nor a chain of table {table.name}")
        return (Action.GOTO if goto else Action.JUMP), f"{table.name} {name}"

    def _put_together(self) -> RuleSet:
        chains = {
            f"{table.name} {name}": Chain(f"{table.name} {name}", tuple(rules), table.policies[name])
            for table in self._tables.values()
            for name, rules in table.rules.items()
        }
        hooks = {
            way: tuple(f"{table} {chain}" for table, chain in on_it if f"{table} {chain}" in chains)
            for way, on_it in WAYS.items()
        }
        used = set(_reached(chains, [name for on_it in hooks.values() for name in on_it]))
        tracked = any("ctstate" in rule.text or "--state" in rule.text for name in used for rule in chains[name].rules)
        kept = {name: chain for name, chain in chains.items() if name in used}
        return RuleSet(self._source, kept, hooks, tracked or "nat" in self._tables, self._version)

    def _refuse(self, why: str) -> NoReturn:
        raise RulesError(f"{self._source}, line {self._number}: {why}: {self._line}", matches.ADVICE)


def _reached(chains: dict[str, Chain], names: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            yield name
            names += [rule.target for rule in chains[name].rules if rule.target]


def _narrowed(found: list[Match]) -> Iterator[Match]:
    """Each once: -p tcp and --dport both say TCP."""
    seen = set()
    for match in found:
        if match not in seen or isinstance(match, Sometimes):
            seen.add(match)
            yield match
