"""A customer's router in a namespace of its own: forwarding and rules are the kernel's, so there is no process."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Network

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.net import conntrack, firewall
from rig.drivers.net.namespace import NetworkNamespace, has_ipv6
from rig.parts.fence_rules import IPV6_RULES, SavedFence
from rig.parts.router import rules
from rig.parts.router.mutants import BY_NAME, Mutant
from rig.parts.router.rules import OUTSIDE, Masking
from rig.run.owner import Owner

IPV6_HOST = IPv6Address("fe80::2")
ANYWHERE, ANYWHERE_IPV6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")


class Router:
    """Between a customer's network and the Internet. ``sides``: the interfaces that lead to consoles, each with the one
    machine whose packets are let through there."""

    def __init__(self, owner: Owner, allowed: Destinations, masking: Masking, *sides: FencedSide) -> None:
        self.sides = sides
        self.namespace = owner.namespace("router")
        self.mutant: Mutant | None = None
        self.allowed = allowed
        self._masking = masking
        self.namespace.forward()
        firewall.apply(self.namespace, IPV6_RULES, version=6)

    def join_internet(self, internet: NetworkNamespace, interface: str, own: IPv4Interface) -> None:
        """Lay the cable to the Internet, which has another address of the same network. What leaks is to be seen,
        wherever it goes: all is routed there, and back."""
        beyond = next(host for host in own.network.hosts() if host != own.ip)
        other = IPv4Interface(f"{beyond}/{own.network.prefixlen}")
        self.namespace.join(OUTSIDE, internet, interface)
        self.namespace.add_address(OUTSIDE, own)
        internet.add_address(interface, other)
        internet.add_route(ANYWHERE, interface, str(own.ip))
        self.namespace.add_route(ANYWHERE, OUTSIDE, str(other.ip))
        if has_ipv6():
            self.namespace.add_neighbour(OUTSIDE, IPV6_HOST, internet.hardware_address(interface))
            self.namespace.add_route(ANYWHERE_IPV6, OUTSIDE, str(IPV6_HOST))

    def close_fence(self, broken: str = "") -> None:
        """Put the rules up; ``broken``: in one of the ways of router.mutants."""
        self.mutant = BY_NAME[broken] if broken else None
        text = "".join(map(self._rules, self.sides))
        emptied = rules.BASE_RULES.replace("-F INPUT\n", "-F INPUT\n-F FORWARD\n-F OUTPUT\n")
        firewall.apply(self.namespace, emptied + text)
        conntrack.settle(self.namespace, conntrack.STRICT | dict(self.mutant.tracking if self.mutant else ()))
        ipv6 = self.mutant.ipv6 if self.mutant and self.mutant.ipv6 else IPV6_RULES
        firewall.apply(self.namespace, ipv6, version=6)
        for side in self.sides:
            conntrack.flush_address(self.namespace, side.address)

    def _rules(self, side: FencedSide) -> str:
        text = rules.rules(self.allowed, side, self._masking)
        return self.mutant.change(text, self.allowed, side) if self.mutant is not None else text

    def fence(self, side: int = 0) -> SavedFence:
        """The rules around one side."""
        own = tuple(self.namespace.own_addresses())
        rules, ipv6 = firewall.save(self.namespace), firewall.save(self.namespace, version=6)
        return SavedFence(rules, self.sides[side], self.sides, own, pattern="", ipv6=ipv6)
