"""A way home that is up: where one stands on it, what it may reach, how a connection over it is opened."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Literal

from rig.config.destinations import Destinations
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.up import PppUp

Kind = Literal["modem", "remote modem", "internet", "proxy", "vpn", "multi-hop"]

Connect = Callable[[NetworkNamespace, IPv4Address, int, float], socket.socket]
"""From a namespace, to an address and port, within so many seconds: a TCP connection to it, or through to it. Raises
OSError, TimeoutError when nobody answered, and what is wrong on the way (ProxyError)."""


def direct(namespace: NetworkNamespace, host: IPv4Address, port: int, seconds: float) -> socket.socket:
    """A connection by the namespace's own routes."""
    with namespace.entered(), waiting():
        return socket.create_connection((str(host), port), seconds)


@dataclass(frozen=True)
class Up:
    """``interface`` and its own address ``source`` in ``namespace``; ``gateway``: the next hop, where there is one;
    ``mtu`` in bytes; ``queued_seconds``: what a slow line takes for what may be queued before it, beyond the time that
    each wait has; ``underlay``: the way that this one runs over; ``ppp``: the session, where there is one; ``details``:
    what its kind's own checks look into."""

    kind: Kind
    namespace: NetworkNamespace
    interface: str
    source: IPv4Address
    gateway: IPv4Address | None
    name_servers: tuple[IPv4Address, ...]
    mtu: int
    allowed: Destinations
    connect: Connect = direct
    queued_seconds: float = 0.0
    underlay: Up | None = None
    ppp: PppUp | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def beneath(self) -> tuple[Up, ...]:
        """The ways that it runs over, the lowest first."""
        return (*self.underlay.beneath, self.underlay) if self.underlay else ()

    @property
    def facts(self) -> dict[str, Any]:
        """For a report: what is of no other kind of way."""
        return {"auth": self.ppp.auth} if self.ppp else {}
