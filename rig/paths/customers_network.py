"""The customer's network and what is beyond it: a router, and the service hosts at its other side."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from rig.config.bench import Bench
from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.net import firewall
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.router.router import Router
from rig.parts.router.rules import INSIDE, Masking
from rig.run.owner import Owner

OUTSIDE_CARD = "net0"
"""The service hosts' interface towards the customer's router."""


@dataclass(frozen=True)
class CustomersNetwork:
    """The router and what is behind it, joined to each other. ``outside``: the address by which the servers see the
    console."""

    router: Router
    hosts: EmulatedHosts
    outside: IPv4Interface

    @classmethod
    def made(
        cls, bench: Bench, owner: Owner, allowed: Destinations, behind: IPv4Address, inside: str = INSIDE
    ) -> CustomersNetwork:
        """All of it started, its rules in force. ``behind``: the one machine that the router lets through."""
        table = bench.internet
        assert table is not None
        firewall.back_end()  # found once, before the processes are forked that ask for it too
        serving = EmulatedHosts(bench, owner, OUTSIDE_CARD)
        router = Router(owner, allowed, Masking(table.masking, table.outside.ip), FencedSide(inside, behind))
        router.join_internet(serving.namespace, OUTSIDE_CARD, table.outside)
        router.close_fence(table.broken)
        serving.start().wait_ready()
        return cls(router, serving, table.outside)
