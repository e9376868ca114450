"""A PPP session that is up."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True)
class PppUp:
    """A session that is up. ``mtu`` in bytes."""

    interface: str
    local: IPv4Address
    peer: IPv4Address
    dns: tuple[IPv4Address, ...]
    mtu: int
    auth: str
