"""The rules of a customer's router: the fence around the console's side, and what masks its address (§2.1.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import session_rules

INSIDE, OUTSIDE = "lan0", "wan0"
"""The router's interfaces: to the customer's network, and to the Internet."""

BASE_RULES = f"""\
*nat
:PREROUTING ACCEPT
:POSTROUTING ACCEPT
-F PREROUTING
-F POSTROUTING
COMMIT
*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
-F INPUT
-A INPUT -i {OUTSIDE} -j DROP
COMMIT
"""
"""A router that forwards nothing, and has nothing to say to the Internet."""


@dataclass(frozen=True)
class Masking:
    """How the console's address is masked: by the fixed address ``outside``, or by whatever the interface has."""

    way: Literal["fixed", "masquerade", "none"]
    outside: IPv4Address


def rules(allowed: Destinations, side: FencedSide, masking: Masking) -> str:
    """iptables-restore text: what the console on a side may reach passes, and leaves with the router's address."""
    target = "MASQUERADE" if masking.way == "masquerade" else f"SNAT --to-source {masking.outside}"
    masked = f"*nat\n-A POSTROUTING -s {side.address}/32 -o {OUTSIDE} -j {target}\nCOMMIT\n"
    mask = "" if masking.way == "none" else masked
    # The router itself says nothing: not on 443 either, where that is open to anybody.
    itself = f"*filter\n-I INPUT -i {side.interface} -j DROP\nCOMMIT\n"
    return mask + session_rules(allowed, side) + itself
