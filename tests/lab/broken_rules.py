"""Rules of remote service that are broken on purpose, each in one way, and the check of the representative that must
say so: of an inbound call by modem, and of one through a VPN."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rig.console import inbound_firewall
from rig.console.inbound_firewall import BACK, CONSOLE, IN, OUT, Permitted, chain
from rig.drivers.net import conntrack, firewall
from rig.drivers.net.namespace import NetworkNamespace

OTHER_TCP, OTHER_UDP = "other TCP ports of the console", "other UDP ports of the console"
LISTED_TCP, LISTED_UDP = "listed ports of the console, TCP", "listed ports of the console, UDP"
FIRST, SOURCES, OUTWARD = "first packets of the call", "false source addresses", "connections outward through the call"
NOT_ALLOWED, NETWORKS = "partitions that are not allowed", "the console's other networks"
PROTOCOLS, AS_BEFORE = "other protocols to the console", "rules, routes, addresses as before"

ALL_OF_IT = 300
"""Bytes, more than the first packets are."""


@dataclass(frozen=True)
class BrokenRules:
    """``found_by``: the check that must not hold; ``changed``: sound rules made into these, for an interface;
    ``customer``: what the customer's own rules let in besides; ``outward``: whether a gateway's firewall must let it
    through to be seen."""

    name: str
    found_by: str
    changed: Callable[[str, str], str] = lambda text, interface: text
    customer: str = ""
    outward: bool = False

    def rules_of(self, permitted: Permitted) -> str:
        """In the place of inbound_firewall.rules."""
        return self.changed(inbound_firewall.rules(permitted), permitted.interface)

    @contextlib.contextmanager
    def in_force(self, console: NetworkNamespace, *calls: Permitted) -> Iterator[None]:
        """In the place of the sound rules of calls that are up."""
        customers = f"customer 1 {self.customer}" if self.customer else ""
        if customers:
            firewall.apply(console, f"*filter\n-I {customers}\nCOMMIT\n")
        try:
            _put_up(console, calls, self.rules_of)
            yield
        finally:
            _put_up(console, calls, inbound_firewall.rules)
            if customers:
                firewall.apply(console, f"*filter\n-D customer {self.customer}\nCOMMIT\n")


def _put_up(console: NetworkNamespace, calls: Sequence[Permitted], rules_of: Callable[[Permitted], str]) -> None:
    for permitted in calls:
        conntrack.flush_address(console, permitted.address)
        inbound_firewall.put_up(console, permitted.interface, rules_of(permitted))


def exchanged(before: str, after: str) -> Callable[[str, str], str]:
    return lambda text, interface: text.replace(before, after)


def without(words: str) -> Callable[[str, str], str]:
    """The rules that have these words in them are missing."""
    return lambda text, interface: "".join(line for line in text.splitlines(keepends=True) if words not in line)


def opened(which: str) -> Callable[[str, str], str]:
    """What a chain drops at its end it lets through."""

    def changed(text: str, interface: str) -> str:
        last = f"-A {chain(which, interface)} -j"
        return text.replace(f"{last} DROP", f"{last} ACCEPT")

    return changed


def behind_the_customers(text: str, interface: str) -> str:
    """The call's rules stand behind the customer's."""
    return re.sub(r"-I (\w+) 1 ", r"-A \1 ", text)


def before_all(rule: str) -> Callable[[str, str], str]:
    """One rule more, ahead of the others of what comes to the console."""

    def changed(text: str, interface: str) -> str:
        first = f"-A {chain(CONSOLE, interface)}"
        return text.replace(first, f"{first} {rule}\n{first}", 1)

    return changed


def first_in(interface: str, which: str, rule: str) -> Callable[[str, str], str]:
    """One call's rules let something more in."""

    def changed(text: str, of: str) -> str:
        first = f"-A {chain(which, interface)}"
        return text.replace(first, f"{first} {rule} -j ACCEPT\n{first}", 1) if of == interface else text

    return changed


def none_on(interface: str) -> Callable[[str, str], str]:
    """One call has no rules."""
    return lambda text, of: "*filter\nCOMMIT\n" if of == interface else text


BROKEN_RULES = (
    BrokenRules("2125 stands as 2126", LISTED_TCP, exchanged("2125:2125", "2126:2126")),
    BrokenRules("23 stands as 23 and 24", OTHER_TCP, exchanged("23:23", "23:24")),
    BrokenRules("30009 stands as 30010", OTHER_UDP, exchanged("udp --dport 30000:30009", "udp --dport 30000:30010")),
    BrokenRules("the list holds for TCP alone", LISTED_UDP, without("-p udp")),
    BrokenRules("the console is open", OTHER_TCP, opened(CONSOLE)),
    BrokenRules("the rules come after the address", FIRST, before_all(f"-m quota --quota {ALL_OF_IT} -j ACCEPT")),
    BrokenRules(
        "the customer's rules come first", FIRST, behind_the_customers, customer="-p tcp --dport 8080 -j ACCEPT"
    ),
    BrokenRules("any source address is the caller's", SOURCES, without("! -s")),
    BrokenRules("every protocol passes to the console", PROTOCOLS, before_all("-p icmp -j ACCEPT")),
    BrokenRules("whatever the console can reach, the caller can", NETWORKS, opened(IN)),
    BrokenRules("a partition has no way to it", "partition payroll", without("10.253.1.2")),
    BrokenRules("the console opens connections through the call", OUTWARD, opened(OUT), outward=True),
    BrokenRules("partitions open connections through the call", OUTWARD, opened(BACK), outward=True),
)  # fmt: skip
