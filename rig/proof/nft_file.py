"""Rules as ``nft -j list ruleset`` prints them (libnftables-json(5)).

What is not known is refused by name, as in :mod:`rig.proof.iptables_file`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NoReturn

from rig.proof.header import FLAGS, ICMP, TCP, Field, State
from rig.proof.iptables_matches import ICMP_TYPES, PROTOCOLS, protocol_number
from rig.proof.rules import (
    Action,
    AnyOf,
    Chain,
    Masked,
    Match,
    Rule,
    RulesError,
    RuleSet,
    Sometimes,
    Through,
    Within,
    of_protocol,
)

ADVICE = "what rules can be proven: docs/fences.md; an expression that is not there is refused, not skipped"
FAMILIES = ("ip", "inet")
NOT_ASKED = ("ip6", "arp")
"""Families that no IPv4 packet meets."""
WAYS = {"forward": ("prerouting", "forward", "postrouting"), "input": ("prerouting", "input"),
        "output": ("output", "postrouting")}  # fmt: skip
PORTS = {name: PROTOCOLS[name] for name in ("tcp", "udp", "sctp", "dccp", "udplite")}
VERDICTS = {"accept": Action.ACCEPT, "drop": Action.DROP, "reject": Action.DROP, "return": Action.RETURN}
TCP_FLAGS = {name.lower(): bit for name, bit in FLAGS.items()}

Expression = Any
"""Of JSON: a value, a list, or an object with one key."""


@dataclass
class _Base:
    """A base chain, and where among those of its hook it comes."""

    name: str
    hook: str
    priority: int


@dataclass
class _Built:
    """What one rule comes to: its matches, and its verdicts, of which a map has several."""

    matches: list[Match] = field(default_factory=list)
    verdicts: list[tuple[tuple[Match, ...], Action, str]] = field(default_factory=list)
    packets: int | None = None


def read(text: str, source: str) -> RuleSet:
    """The rules of a file. Raises RulesError for what is not understood, or is no rule set of nft's."""
    try:
        listed = json.loads(text)["nftables"]
    except (ValueError, KeyError, TypeError) as error:
        raise RulesError(f"{source}: this is not what nft -j list ruleset prints: {error}", ADVICE) from None
    return _Reader(source).read(listed)


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._place = ""
        self._sets: dict[tuple[str, str, str], list[Expression]] = {}
        self._table = ("", "")

    def read(self, listed: list[dict[str, Any]]) -> RuleSet:
        chains: dict[str, Chain] = {}
        bases: list[_Base] = []
        known: dict[str, Callable[[dict[str, Any]], None]] = {
            "metainfo": lambda said: None, "table": lambda said: None, "counter": lambda said: None,
            "quota": lambda said: None, "limit": lambda said: None, "ct helper": lambda said: None,
            "set": self._set, "map": self._set, "element": lambda said: None,
            "chain": lambda said: self._chain(said, chains, bases), "rule": lambda said: None,
        }  # fmt: skip
        for entry in listed:
            ((kind, said),) = entry.items()
            self._place = f"{kind} {said.get('name', '')}".strip()
            if kind not in known:
                self._refuse(f"{kind} is not known")
            if said.get("family") not in NOT_ASKED:
                known[kind](said)
        for entry in listed:
            if (rule := entry.get("rule")) is not None and rule["family"] not in NOT_ASKED:
                name = _name(rule["family"], rule["table"], rule["chain"])
                chains[name] = replace(chains[name], rules=(*chains[name].rules, *self._rule(rule)))
        bases.sort(key=lambda base: base.priority)
        hooks = {
            way: tuple(base.name for hook in on_it for base in bases if base.hook == hook)
            for way, on_it in WAYS.items()
        }
        if not any(hooks.values()):
            raise RulesError(
                f"{self._source}: no chain is on a packet's way", "nft -j list ruleset   prints every table"
            )
        tracked = '"ct"' in json.dumps(listed)
        return RuleSet(self._source, chains, hooks, tracked)

    def _set(self, said: dict[str, Any]) -> None:
        self._sets[said["family"], said["table"], said["name"]] = said.get("elem", [])

    def _chain(self, said: dict[str, Any], chains: dict[str, Chain], bases: list[_Base]) -> None:
        if said["family"] not in FAMILIES:
            self._refuse(f"the family {said['family']} is not known")
        name = _name(said["family"], said["table"], said["name"])
        policy = Action.CONTINUE
        if "hook" in said:
            bases.append(_Base(name, said["hook"], int(said["prio"])))
            policy = VERDICTS[said.get("policy", "accept")]
        chains[name] = Chain(name, (), policy)

    def _rule(self, said: dict[str, Any]) -> list[Rule]:
        self._table = said["family"], said["table"]
        self._place = f"table {said['family']} {said['table']}, chain {said['chain']}, handle {said['handle']}"
        built = _Built()
        for expression in said["expr"]:
            ((kind, what),) = expression.items() if isinstance(expression, dict) else ((expression, None),)
            known = EXPRESSIONS.get(kind)
            if known is None:
                self._refuse(f"{kind} is not known")
            known(self, built, what)
        text = said.get("comment") or json.dumps(said["expr"])
        verdicts = built.verdicts or [((), Action.CONTINUE, "")]
        return [
            Rule(self._place, text, (*built.matches, *more), action, target, built.packets)
            for more, action, target in verdicts
        ]

    def _refuse(self, why: str) -> NoReturn:
        raise RulesError(f"{self._source}, {self._place}: {why}", ADVICE)

    # What a rule is made of, an expression each.

    def _match(self, built: _Built, what: dict[str, Any]) -> None:
        if what["op"] not in ("==", "!=", "in", "<", ">", "<=", ">="):
            self._refuse(f"the operator {what['op']} is not known")
        built.matches += self._compared(what["left"], what["op"], what["right"])

    def _compared(self, left: Expression, op: str, right: Expression) -> list[Match]:
        negated = op == "!="
        if isinstance(right, str) and right.startswith("@"):
            right = {"set": self._named(right)}
        if isinstance(left, dict) and "concat" in left:
            ways = [
                tuple(match for part, value in zip(left["concat"], _joined(element), strict=True)
                      for match in self._compared(part, "==", value))
                for element in _elements(right)
            ]  # fmt: skip
            return [AnyOf(tuple(ways), negated)]
        if isinstance(left, dict) and "&" in left:
            return self._flags(left["&"], right, negated)
        ((kind, asked),) = left.items()
        if kind == "meta" and asked["key"] in INTERFACES:
            patterns = (Through(INTERFACES[asked["key"]], _wild(str(value))) for value in _elements(right))
            return [AnyOf(tuple((pattern,) for pattern in patterns), negated)]
        if kind == "ct" and asked["key"] == "state":
            return [self._states(right, negated)]
        name = f"{asked.get('protocol')} {asked.get('field')}" if kind == "payload" else str(asked.get("key", kind))
        if name == "tcp flags":
            return (
                self._flags([left, right], 0, negated=True)
                if op == "in"
                else self._flags([left, "all"], right, negated)
            )
        if name == "nfproto" or name.startswith("ip6 "):
            return [Within(Field.PROTOCOL, ((0, 255),) if right in ("ipv4", 2) else (), negated)]
        if name in SOMETIMES or (kind == "ct" and asked["key"] != "state"):
            return [Sometimes(f"{kind} {name}")]
        if name not in NUMBERED and not (kind == "payload" and asked.get("protocol") in (*PORTS, "th")):
            self._refuse(f"{kind} {name} is not known")
        return self._numbered(name, asked, op, right)

    def _numbered(self, name: str, asked: dict[str, Any], op: str, right: Expression) -> list[Match]:
        before: list[Match] = []
        if name in NUMBERED:
            number, value_of = NUMBERED[name]
            if name.startswith("icmp "):
                before = [*of_protocol(ICMP)]
        else:
            before = [Within(Field.FRAGMENT, ((0, 0),))]
            if asked["protocol"] in PORTS:
                before.append(Within(Field.PROTOCOL, ((PORTS[asked["protocol"]],) * 2,)))
            else:
                before.append(Within(Field.PROTOCOL, tuple((number, number) for number in PORTS.values())))
            if asked["field"] not in ("sport", "dport"):
                self._refuse(f"{name} is not known")
            number, value_of = (Field.FROM_PORT if asked["field"] == "sport" else Field.TO_PORT), int
        ranges = []
        for value in _elements(right):
            try:
                ranges.append(_ends(value, value_of))
            except (ValueError, TypeError, KeyError):
                self._refuse(f"{name} {json.dumps(value)} is not known")
        if op in ("<", ">", "<=", ">="):
            ranges = [_bounded(op, ranges[0][0])]
        if name == "icmp type":
            ranges = [(low << 8, high << 8 | 255) for low, high in ranges]
        return [*before, Within(number, tuple(ranges), op == "!=")]

    def _states(self, right: Expression, negated: bool) -> Within:
        named = [str(value).upper() for value in _elements(right)]
        if unknown := [name for name in named if name not in State.__members__]:
            self._refuse(f"conntrack's state {unknown[0].lower()} is not known")
        return Within(Field.STATE, tuple((int(State[name]),) * 2 for name in named), negated)

    def _flags(self, parts: list[Expression], right: Expression, negated: bool) -> list[Match]:
        left, mask = parts
        if left.get("payload", {}).get("field") != "flags" or left["payload"].get("protocol") != "tcp":
            self._refuse("a mask is known for TCP's flags alone")
        return [*of_protocol(TCP), Masked(self._bits(mask), self._bits(right), negated)]

    def _bits(self, value: Expression) -> int:
        if value == "all":
            return sum(TCP_FLAGS.values())
        if isinstance(value, dict) and "|" in value:
            return sum(map(self._bits, value["|"]))
        if isinstance(value, list):
            return sum(map(self._bits, value))
        if isinstance(value, int):
            return value
        if value not in TCP_FLAGS:
            self._refuse(f"{value} is no TCP flag")
        return TCP_FLAGS[value]

    def _named(self, reference: str) -> list[Expression]:
        found = self._sets.get((*self._table, reference[1:]))
        if found is None:
            self._refuse(f"the set {reference} is not in the file")
        return found

    def _counter(self, built: _Built, what: Any) -> None:
        if isinstance(what, dict):
            built.packets = int(what["packets"])

    def _rated(self, built: _Built, what: Any) -> None:
        built.matches.append(Sometimes(json.dumps(what)))

    def _aside(self, built: _Built, what: Any) -> None:
        """It goes on as it was, or is changed behind the last rule that could drop it."""

    def _vmap(self, built: _Built, what: dict[str, Any]) -> None:
        data = what["data"]
        elements = self._named(data) if isinstance(data, str) else data["set"]
        for key, verdict in elements:
            ((kind, more),) = verdict.items() if isinstance(verdict, dict) else ((verdict, None),)
            matches = tuple(self._compared(what["key"], "==", key))
            built.verdicts.append((matches, *self._verdict(kind, more)))

    def _verdict(self, kind: str, what: Any) -> tuple[Action, str]:
        if kind in ("jump", "goto"):
            return Action(kind), _name(*self._table, what["target"])
        if kind == "continue":
            return Action.CONTINUE, ""
        if kind not in VERDICTS:
            self._refuse(f"the verdict {kind} is not known")
        return VERDICTS[kind], ""


def _decides(kind: str) -> Callable[[_Reader, _Built, Any], None]:
    return lambda reader, built, what: built.verdicts.append(((), *reader._verdict(kind, what)))


EXPRESSIONS: dict[str, Callable[[_Reader, _Built, Any], None]] = {
    "match": _Reader._match, "counter": _Reader._counter, "limit": _Reader._rated, "quota": _Reader._rated,
    "vmap": _Reader._vmap, "log": _Reader._aside, "masquerade": _Reader._aside, "snat": _Reader._aside,
    **{kind: _decides(kind) for kind in (*VERDICTS, "jump", "goto", "continue")},
}  # fmt: skip
INTERFACES = {"iifname": Field.IN, "oifname": Field.OUT, "iif": Field.IN, "oif": Field.OUT}
SOMETIMES = ("mark", "skuid", "skgid", "length", "pkttype", "hour", "day", "time", "ip ttl", "ip length", "ip dscp")


def _protocol(value: Any) -> int:
    found = protocol_number(str(value))
    if found is None:
        raise ValueError(value)
    return found


def _address(value: Any) -> int:
    return int(IPv4Address(value))


def _icmp_type(value: Any) -> int:
    return ICMP_TYPES[value] if value in ICMP_TYPES else int(value)


NUMBERED: dict[str, tuple[Field, Callable[[Any], int]]] = {
    "ip saddr": (Field.SOURCE, _address), "ip daddr": (Field.DESTINATION, _address),
    "ip protocol": (Field.PROTOCOL, _protocol), "l4proto": (Field.PROTOCOL, _protocol),
    "icmp type": (Field.TO_PORT, _icmp_type),
}  # fmt: skip


def _name(family: str, table: str, chain: str) -> str:
    return f"{family} {table} {chain}"


def _wild(name: str) -> str:
    """nft's last ``*`` is iptables' ``+``."""
    return f"{name[:-1]}+" if name.endswith("*") else name


def _elements(value: Expression) -> Iterable[Expression]:
    if isinstance(value, dict) and "set" in value:
        value = value["set"]
    return [one["elem"]["val"] if isinstance(one, dict) and "elem" in one else one for one in _listed(value)]


def _listed(value: Expression) -> list[Expression]:
    return value if isinstance(value, list) else [value]


def _joined(element: Expression) -> list[Expression]:
    return element["concat"] if isinstance(element, dict) and "concat" in element else _listed(element)


def _ends(value: Expression, number: Callable[[Any], int]) -> tuple[int, int]:
    if isinstance(value, dict) and "prefix" in value:
        network = IPv4Network(f"{value['prefix']['addr']}/{value['prefix']['len']}", strict=False)
        return int(network[0]), int(network[-1])
    if isinstance(value, dict) and "range" in value:
        low, high = value["range"]
        return number(low), number(high)
    return (number(value),) * 2


def _bounded(op: str, bound: int) -> tuple[int, int]:
    top = (1 << 32) - 1
    return {"<": (0, bound - 1), "<=": (0, bound), ">": (bound + 1, top), ">=": (bound, top)}[op]
