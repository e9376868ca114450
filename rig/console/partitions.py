"""Partitions behind the near end, and the way of an inbound call to those that it is allowed to reach (§2.2.1).

The PPP interface is given an alternate address for each; a routing rule, ahead of the one for local addresses, takes
what is for it over to the partition, which holds the same address. Nothing is translated, and no other route changes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from rig.config.bench import PartitionTable
from rig.drivers.base.shared import Shared
from rig.drivers.net import netlink
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.netlink import IPRoute, NetlinkError
from rig.run.owner import Owner

ETHERNET = IPv4Network("10.254.0.0/16")
"""Between console and partitions: a network of the run's own, four addresses to each partition."""
FIRST_TABLE = 200
FIRST_PRIORITY = 100
FIRST_BACK_TABLE, FIRST_BACK_PRIORITY = 300, 200
RT_SCOPE_LINK = 253
LOCAL_TABLE, LOCAL_PRIORITY, LOCAL_LATER = 255, 0, 1000
"""The kernel asks for local addresses before all else; here, after the rules for the partitions."""


@dataclass(frozen=True)
class Partition:
    """One partition as the near end sees it. ``index``: which of them, from 0; ``interface`` leads there; ``own`` is
    its address on that Ethernet."""

    index: int
    name: str
    alternate: IPv4Address
    allowed: bool
    namespace: NetworkNamespace
    interface: str
    own: IPv4Address
    console: IPv4Address


def make(owner: Owner, console: NetworkNamespace, tables: tuple[PartitionTable, ...]) -> list[Partition]:
    """The partitions of a bench, each a namespace, joined to the console by Ethernet."""
    return [_made(owner, console, table, index) for index, table in enumerate(tables)]


def _made(owner: Owner, console: NetworkNamespace, table: PartitionTable, index: int) -> Partition:
    namespace = owner.namespace(f"partition-{table.name}")
    network = IPv4Network((int(ETHERNET.network_address) + 4 * index, 30))
    near, own = network.hosts()
    interface = f"lpar-{table.name}"
    console.join(interface, namespace, "console0")
    console.add_address(interface, IPv4Interface(f"{near}/30"))
    namespace.add_address("console0", IPv4Interface(f"{own}/30"))
    namespace.add_address("lo", IPv4Interface(f"{table.address}/32"))
    namespace.add_route(IPv4Network("0.0.0.0/0"), "console0", str(near))
    return Partition(index, table.name, table.address, table.allowed, namespace, interface, own, near)


class PartitionRouting:
    """The ways of a console's calls to its partitions, there and back. What several calls need stays until the last
    of them has ended; which of them may use it, their own firewall rules say."""

    def __init__(self, console: NetworkNamespace) -> None:
        self._console = console
        self._routing = Shared(self._route_ahead_of_local)
        self._ways: dict[Partition, Shared] = {}

    @contextlib.contextmanager
    def open(self, partitions: Sequence[Partition]) -> Iterator[None]:
        """The routing of one call, from before it is answered until it has ended. What was there comes back as it
        was."""
        with contextlib.ExitStack() as call:
            call.enter_context(self._routing.held())
            for one in partitions:
                way = self._ways.setdefault(one, Shared(functools.partial(self._way, one)))
                call.enter_context(way.held())
            yield

    def attach(self, interface: str, partitions: Sequence[Partition]) -> None:
        """Give the PPP interface its alternate addresses. Raises InterfaceGoneError when the call has ended."""
        for partition in partitions:
            self._console.add_address(interface, IPv4Interface(f"{partition.alternate}/32"))

    @contextlib.contextmanager
    def back(self, address: IPv4Address, interface: str, number: int) -> Iterator[None]:
        """Whatever comes from an address of a call's goes back by its interface, where several lead to the same
        caller. ``number``: of that call's own."""
        table, priority = FIRST_BACK_TABLE + number, FIRST_BACK_PRIORITY + number
        with self._console.netlink() as link:
            with netlink.interface(link, interface) as index:
                link.route("add", table=table, dst="0.0.0.0/0", oif=index, scope=RT_SCOPE_LINK)
            try:
                link.rule("add", table=table, priority=priority, src=str(address), src_len=32)
                try:
                    yield
                finally:
                    link.rule("del", table=table, priority=priority, src=str(address), src_len=32)
            finally:
                link.flush_routes(table=table)

    @contextlib.contextmanager
    def towards(self, host: IPv4Address, interface: str, source: IPv4Address) -> Iterator[None]:
        """The console's own way to somebody, and its address for him. It goes with the interface, where that goes
        first."""
        with self._console.netlink() as link:
            with netlink.interface(link, interface) as index:
                way = {"dst": f"{host}/32", "oif": index, "prefsrc": str(source)}
                link.route("add", **way)
            try:
                yield
            finally:
                try:
                    link.route("del", **way)
                except NetlinkError as error:
                    if error.code != errno.ESRCH:
                        raise

    @contextlib.contextmanager
    def _route_ahead_of_local(self) -> Iterator[None]:
        with self._forwarding(), self._console.netlink() as link:
            _move_local_rule(link, LOCAL_PRIORITY, LOCAL_LATER)
            try:
                yield
            finally:
                _move_local_rule(link, LOCAL_LATER, LOCAL_PRIORITY)

    @contextlib.contextmanager
    def _forwarding(self) -> Iterator[None]:
        with self._console.entered():
            switch = Path("/proc/sys/net/ipv4/ip_forward")
            before = switch.read_text()
            switch.write_text("1")
        try:
            yield
        finally:
            with self._console.entered():
                switch.write_text(before)

    @contextlib.contextmanager
    def _way(self, partition: Partition) -> Iterator[None]:
        """Past this machine's own address to the partition that has it too."""
        table, priority = FIRST_TABLE + partition.index, FIRST_PRIORITY + partition.index
        to = str(partition.alternate)
        with self._console.netlink() as link:
            with netlink.interface(link, partition.interface) as index:
                link.route("add", table=table, dst=f"{to}/32", gateway=str(partition.own), oif=index)
            try:
                link.rule("add", table=table, priority=priority, dst=to, dst_len=32)
                try:
                    yield
                finally:
                    link.rule("del", table=table, priority=priority, dst=to, dst_len=32)
            finally:
                link.flush_routes(table=table)


def _move_local_rule(link: IPRoute, before: int, after: int) -> None:
    """Give the rule for local addresses another priority: at no moment is there none."""
    link.rule("add", table=LOCAL_TABLE, priority=after)
    link.rule("del", table=LOCAL_TABLE, priority=before)
