"""Partitions behind the near end, and the way of an inbound call to those that it is allowed to reach (§2.2.1).

The PPP interface is given an alternate address for each; a routing rule, ahead of the one for local addresses, takes
what is for it over to the partition, which holds the same address. Nothing is translated, and no other route changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from drivers.net.namespace import NetworkNamespace
from drivers.net.netlink import IPRoute
from rig.config.bench import PartitionTable
from rig.run.owner import Owner

ETHERNET = IPv4Network("10.254.0.0/16")
"""Between console and partitions: a network of the run's own, four addresses to each partition."""
FIRST_TABLE = 200
FIRST_PRIORITY = 100
LOCAL_TABLE, LOCAL_PRIORITY, LOCAL_LATER = 255, 0, 1000
"""The kernel asks for local addresses before all else; here, after the rules for the partitions."""


@dataclass(frozen=True)
class Partition:
    """One partition as the near end sees it. ``interface`` leads there; ``own`` is its address on that Ethernet."""

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
    return Partition(table.name, table.address, table.allowed, namespace, interface, own, near)


class PartitionRouting:
    """The way of one call to the partitions, there and back."""

    def __init__(self, console: NetworkNamespace, partitions: list[Partition]) -> None:
        self._console = console
        self._partitions = partitions

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """The routing, from before the call is answered until it has ended. What was there comes back as it was."""
        with self._forwarding(), self._console.netlink() as link:
            self._local_rule(link, LOCAL_LATER, LOCAL_PRIORITY)
            try:
                for index, partition in enumerate(self._partitions):
                    self._add(link, index, partition)
                yield
            finally:
                self._remove_all(link)
                self._local_rule(link, LOCAL_PRIORITY, LOCAL_LATER)

    def attach(self, interface: str) -> None:
        """Give the PPP interface, which is there now, its alternate addresses."""
        for partition in self._partitions:
            self._console.add_address(interface, IPv4Interface(f"{partition.alternate}/32"))

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

    @staticmethod
    def _local_rule(link: IPRoute, there: int, not_there: int) -> None:
        """Move the rule for local addresses: at no moment is there none."""
        link.rule("add", table=LOCAL_TABLE, priority=there)
        link.rule("del", table=LOCAL_TABLE, priority=not_there)

    @staticmethod
    def _add(link: IPRoute, index: int, partition: Partition) -> None:
        table = FIRST_TABLE + index
        leads = link.link_lookup(ifname=partition.interface)[0]
        link.route("add", table=table, dst=f"{partition.alternate}/32", gateway=str(partition.own), oif=leads)
        link.rule("add", table=table, priority=FIRST_PRIORITY + index, dst=str(partition.alternate), dst_len=32)

    def _remove_all(self, link: IPRoute) -> None:
        for index, partition in enumerate(self._partitions):
            table = FIRST_TABLE + index
            link.rule("del", table=table, priority=FIRST_PRIORITY + index, dst=str(partition.alternate), dst_len=32)
            link.flush_routes(table=table)
