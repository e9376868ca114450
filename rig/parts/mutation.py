"""How the rules of a sound gateway, or of a customer's router, become those of one that is broken in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import chains

Change = Callable[[str, Destinations, FencedSide], str]


@dataclass(frozen=True)
class GatewayMutant:
    """``change`` makes the broken rules of the sound ones; ``tracking``: other settings of conntrack than
    conntrack.STRICT; ``keeps_flows``: conntrack is not told of the end; ``ipv6``: the rules of IPv6, where they are
    others; ``routes_pool``: it shows where more is routed to the caller than his address; ``any_name``: its name
    service answers whatever it is asked."""

    name: str
    what: str
    found_by: str
    change: Change = lambda rules, fence, session: rules
    keeps_flows: bool = False
    ipv6: str = ""
    routes_pool: bool = False
    any_name: bool = False
    tracking: tuple[tuple[str, int], ...] = ()

    @property
    def of_rules(self) -> bool:
        """Whether the rules of IPv4 alone show it, to who reads them."""
        return not (self.keeps_flows or self.ipv6 or self.any_name or self.tracking)


def _hosts(allowed: Destinations) -> dict[str, object]:
    """Two of those whom the rules let through, by the names that patterns and rules have for them."""
    return {"first": allowed.hosts[0], "second": allowed.hosts[min(1, len(allowed.hosts) - 1)]}


def without(pattern: str) -> Change:
    """The rules without the lines in which a pattern is found."""

    def change(rules: str, allowed: Destinations, session: FencedSide) -> str:
        text = pattern.format(outward=chains(session)[0], inward=chains(session)[1], **_hosts(allowed))
        lines = rules.splitlines()
        kept = [line for line in lines if not re.search(text, line)]
        if len(kept) == len(lines):
            raise ValueError(f"no rule has {text!r}: the mutant would be the sound gateway")
        return "\n".join([*kept, ""])

    return change


def replaced(pattern: str, text: str) -> Change:
    """The rules with what a pattern matches replaced."""

    def change(rules: str, allowed: Destinations, session: FencedSide) -> str:
        outward, inward = chains(session)
        words = {"address": session.address, **_hosts(allowed)}
        wanted = pattern.format(outward=outward, inward=inward, interface=session.interface, **words)
        changed, count = re.subn(wanted, text.format(**words), rules, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"no rule has {wanted!r}: the mutant would be the sound gateway")
        return changed

    return change


def first(chain: str, rule: str) -> Change:
    """A rule ahead of a chain's others: ``outward`` or ``inward``."""

    def change(rules: str, allowed: Destinations, session: FencedSide) -> str:
        name = chains(session)[0 if chain == "outward" else 1]
        added = rule.format(address=session.address, previous=session.address - 1, **_hosts(allowed))
        at = rules.index(f"-A {name} ")
        return f"{rules[:at]}-A {name} {added}\n{rules[at:]}"

    return change
