"""The console's network cards (§2.1.2.1): one in the customer's network, and optionally a second, which leads to the
systems that it manages and keeps them apart from the Internet."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from rig.drivers.base.errors import NetworkError
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.cable import Lay
from rig.run.owner import Owner

CARD, SECOND_CARD = "eth0", "eth1"
ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class ManagedSystem:
    """A system on the console's second card. ``address``: its own there."""

    namespace: NetworkNamespace
    address: IPv4Address
    interface: str = "eth0"


@dataclass(frozen=True)
class NetworkCard:
    """One of the console's, as a way home stands and falls with it."""

    namespace: NetworkNamespace
    interface: str = CARD

    def has_cable(self) -> bool:
        return self.namespace.has_carrier(self.interface)

    def loses_cable(self, seconds: float) -> bool:
        """Wait so many seconds; whether it has by then."""
        with waiting():
            return self.namespace.loses_carrier(self.interface, seconds)

    def failure(self) -> NetworkError:
        """Why a way over it is not up any more."""
        return NetworkError(f"{self.interface} has lost its cable", "is its other end up?")


def join_router(
    console: NetworkNamespace,
    own: IPv4Interface,
    router: NetworkNamespace,
    interface: str,
    at: IPv4Interface,
    there: IPv4Network = ANYWHERE,
    lay: Lay = NetworkNamespace.join,
) -> None:
    """Lay the cable to a router, and have everything go there, or what is for ``there``."""
    lay(console, CARD, router, interface)
    router.add_address(interface, at)
    console.add_address(CARD, own)
    console.add_route(there, CARD, str(at.ip))


def join_managed_system(owner: Owner, console: NetworkNamespace, own: IPv4Interface) -> ManagedSystem:
    """A managed system on the second card. It takes the console for its way to everywhere, so that what the console
    forwards is seen."""
    namespace = owner.namespace("managed")
    address = next(host for host in own.network.hosts() if host != own.ip)
    console.join(SECOND_CARD, namespace, "eth0")
    console.add_address(SECOND_CARD, own)
    namespace.add_address("eth0", IPv4Interface(f"{address}/{own.network.prefixlen}"))
    namespace.add_route(ANYWHERE, "eth0", str(own.ip))
    return ManagedSystem(namespace, address)
