"""What a way home may reach, as data: what a gateway's fence (§3.1), a customer's firewall or a proxy is held to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

HTTPS = 443
DNS = 53
VPN_PORTS = (500, 4500)
"""UDP ports of the key exchange; the tunnel itself is ESP, or UDP 4500 behind NAT (§5.2)."""


@dataclass(frozen=True)
class Destinations:
    """Authorized servers (TCP 443, §5.1), utility services (name servers, §3.1) and VPN servers (§5.2).

    ``vpn``: whether the VPN servers may be spoken to (over the modem §2.2.2, over the Internet §2.1.3).
    ``inbound``: the ports of §5.3, which are the near end's own to open, on no way home.
    ``anybody``: TCP 443 is open to every address, and the servers are those that must be reached (§2.1.2.1: the
    firewall may limit the addresses). ``elsewhere``: servers that are another region's alone.
    """

    servers: tuple[IPv4Address, ...]
    name_servers: tuple[IPv4Address, ...]
    vpn_servers: tuple[IPv4Address, ...] = ()
    vpn: bool = False
    inbound: tuple[range, ...] = ()
    anybody: bool = False
    elsewhere: tuple[IPv4Address, ...] = ()
