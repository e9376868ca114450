"""Answering sides that are broken on purpose in more than their rules, each in one way, and the check of the
representative that must say so."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from rig.config.bench import InboundTable
from rig.console import inbound_firewall
from rig.drivers.net import firewall
from rig.links.answering import AnsweringEnd
from rig.links.ppp_role import Answering
from tests.lab.broken_rules import AS_BEFORE, NOT_ALLOWED

AUTHENTICATION = "authentication of the caller"


class Broken(AnsweringEnd):
    """``found_by``: the check that must not hold."""

    found_by = ""


class EveryPartition(Broken):
    """A partition that is not allowed has a way to it like the others."""

    found_by = NOT_ALLOWED

    def open(self) -> None:
        real = self.partitions
        self.partitions = tuple(replace(one, allowed=True) for one in real)
        super().open()
        self.partitions = real


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
    EveryPartition, WrongPartition, RulesLeftBehind, CustomersRulesLost, RoutingLeftBehind,
    LetsAnybodyIn,
)  # fmt: skip
