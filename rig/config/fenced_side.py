"""Whom a fence is put around."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True)
class FencedSide:
    """The caller's interface at the gateway, and the address it was assigned."""

    interface: str
    address: IPv4Address
