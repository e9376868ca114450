"""Answering sides that are broken on purpose, each in one way, and the check of the representative that must say so."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

from drivers.net import firewall
from rig.config.bench import InboundTable
from rig.console import inbound_firewall
from rig.links.answering import AnsweringEnd
from rig.links.ppp_role import Answering

OTHER_TCP, OTHER_UDP = "other TCP ports of the console", "other UDP ports of the console"
LISTED_TCP, LISTED_UDP = "listed ports of the console, TCP", "listed ports of the console, UDP"
FIRST, SOURCES, OUTWARD = "first packets of the call", "false source addresses", "connections outward through the call"
NOT_ALLOWED, NETWORKS = "partitions that are not allowed", "the console's other networks"
AUTHENTICATION = "authentication of the caller"
PROTOCOLS, AS_BEFORE = "other protocols to the console", "rules, routes, addresses as before"


class Broken(AnsweringEnd):
    """``found_by``: the check that must not hold."""

    found_by = ""


def before_all(rules: str, rule: str) -> str:
    """With one rule more, ahead of the others of what comes to the console."""
    chain = "-A remote-console-ppp0"
    return rules.replace(chain, f"{chain} {rule}\n{chain}", 1)


class PortListOffByOne(Broken):
    """2125 stands as 2126."""

    found_by = LISTED_TCP

    def rules(self) -> str:
        return super().rules().replace("2125:2125", "2126:2126")


class OnePortTooMany(Broken):
    """23 stands as 23 and 24."""

    found_by = OTHER_TCP

    def rules(self) -> str:
        return super().rules().replace("23:23", "23:24")


class RangeTooLong(Broken):
    """30000-30009 stands as 30000-30010, for UDP."""

    found_by = OTHER_UDP

    def rules(self) -> str:
        return super().rules().replace("-p udp --dport 30000:30009", "-p udp --dport 30000:30010")


class UdpForgotten(Broken):
    """The list holds for TCP alone."""

    found_by = LISTED_UDP

    def rules(self) -> str:
        return "".join(line for line in super().rules().splitlines(keepends=True) if "-p udp" not in line)


class CustomersRulesFirst(Broken):
    """The call's rules stand behind the customer's, who lets port 8080 in."""

    found_by = FIRST

    def rules(self) -> str:
        rules = re.sub(r"-I (\w+) 1 ", r"-A \1 ", super().rules())
        firewall.apply(self.namespace, "*filter\n-I customer 1 -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n")
        self._call.callback(
            firewall.apply, self.namespace, "*filter\n-D customer -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n"
        )
        return rules


class RulesAfterTheAddress(Broken):
    """What comes first passes before the rules stand."""

    found_by = FIRST

    def rules(self) -> str:
        return before_all(super().rules(), "-m quota --quota 100 -j ACCEPT")


class SourceNotLookedAt(Broken):
    """Any source address is taken for the caller's."""

    found_by = SOURCES

    def rules(self) -> str:
        return "".join(line for line in super().rules().splitlines(keepends=True) if "! -s" not in line)


class EveryProtocol(Broken):
    """ICMP passes to the console."""

    found_by = PROTOCOLS

    def rules(self) -> str:
        return before_all(super().rules(), "-p icmp -j ACCEPT")


class EveryPartition(Broken):
    """A partition that is not allowed has a way to it like the others."""

    found_by = NOT_ALLOWED

    def open(self) -> None:
        real = self.partitions
        self.partitions = tuple(replace(one, allowed=True) for one in real)
        super().open()
        self.partitions = real


class NetworksForwarded(Broken):
    """Whatever the console can reach, the caller can."""

    found_by = NETWORKS

    def rules(self) -> str:
        return super().rules().replace("-A remote-in-ppp0 -j DROP", "-A remote-in-ppp0 -j ACCEPT")


class OutwardOpen(Broken):
    """The console may open connections through the call."""

    found_by = OUTWARD

    def rules(self) -> str:
        return super().rules().replace("-A remote-out-ppp0 -j DROP", "-A remote-out-ppp0 -j ACCEPT")


class PartitionsOutwardOpen(Broken):
    """The partitions may open connections through the call."""

    found_by = OUTWARD

    def rules(self) -> str:
        return super().rules().replace("-A remote-back-ppp0 -j DROP", "-A remote-back-ppp0 -j ACCEPT")


class WrongPartition(Broken):
    """The alternate addresses lead to each other's partition."""

    found_by = "partition finance"

    def attach(self, interface: str) -> None:
        finance, payroll = (one for one in self.partitions if one.allowed)
        super().attach(interface)
        with self.namespace.netlink() as link:
            for table, there in ((200, payroll), (201, finance)):
                out = link.link_lookup(ifname=there.interface)[0]
                address = (finance, payroll)[table - 200].alternate
                link.route("replace", table=table, dst=f"{address}/32", gateway=str(there.own), oif=out)


class PartitionForgotten(Broken):
    """One allowed partition has no way to it."""

    found_by = "partition payroll"

    def rules(self) -> str:
        lines = super().rules().splitlines(keepends=True)
        return "".join(line for line in lines if "10.253.1.2" not in line)


class RulesLeftBehind(Broken):
    """The call's rules stay when it is over."""

    found_by = AS_BEFORE

    def take_rules_down(self) -> None:
        pass


class CustomersRulesLost(Broken):
    """The customer's rules go with the call's."""

    found_by = AS_BEFORE

    def take_rules_down(self) -> None:
        super().take_rules_down()
        firewall.apply(self.namespace, "*filter\n-F INPUT\nCOMMIT\n")


class RoutingLeftBehind(Broken):
    """The rule for local addresses stays where the call had moved it."""

    found_by = AS_BEFORE

    def hang_up(self) -> None:
        super().hang_up()
        with self.namespace.netlink() as link, contextlib.suppress(Exception):
            link.rule("add", table=200, priority=100, dst="10.253.1.1", dst_len=32)

    stop = hang_up


def mended(namespace_end: AnsweringEnd) -> None:
    """Undo what a broken side has left behind, for those that come after it."""
    inbound_firewall.take_down(namespace_end.namespace, namespace_end.role.interface)
    with namespace_end.namespace.netlink() as link, contextlib.suppress(Exception):
        link.rule("del", table=200, priority=100, dst="10.253.1.1", dst_len=32)
    saved = firewall.save(namespace_end.namespace)
    if "-A INPUT ! -i lo -j customer" not in saved:
        firewall.apply(namespace_end.namespace, "*filter\n-A INPUT ! -i lo -j customer\nCOMMIT\n")


class LetsAnybodyIn(Broken):
    """Nobody is asked who he is."""

    found_by = AUTHENTICATION

    def made_role(self, table: InboundTable, unit: int) -> Answering:
        return AsksNobody(table, unit=unit)


class AsksNobody(Answering):
    def words(self) -> tuple[str, ...]:
        words = (word for word in super().words() if not word.startswith("require-"))
        return tuple("noauth" if word == "auth" else word for word in words)


BROKEN: tuple[type[Broken], ...] = (
    PortListOffByOne, OnePortTooMany, RangeTooLong, UdpForgotten, CustomersRulesFirst, RulesAfterTheAddress,
    SourceNotLookedAt, EveryProtocol, EveryPartition, NetworksForwarded, OutwardOpen, PartitionsOutwardOpen,
    WrongPartition, PartitionForgotten, RulesLeftBehind, CustomersRulesLost, RoutingLeftBehind, LetsAnybodyIn,
)  # fmt: skip
