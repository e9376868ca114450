"""What a way home may reach, as data: what a gateway's fence (§3.1), a customer's firewall or a proxy is held to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

HTTPS = 443
DNS = 53


@dataclass(frozen=True)
class Service:
    """What a VPN server is asked for: UDP at a port, or a protocol that has none."""

    protocol: Literal["udp", "esp"]
    port: int = 0

    def __str__(self) -> str:
        return f"{self.protocol.upper()} {self.port}" if self.port else self.protocol.upper()


IKE, NAT_T, ESP = Service("udp", 500), Service("udp", 4500), Service("esp")
"""§5.2. The tunnel itself is ESP, or UDP 4500 where addresses are translated on the way (RFC 3948)."""
EVERY_VPN_SERVICE = (IKE, NAT_T, ESP)


@dataclass(frozen=True)
class Destinations:
    """Authorized servers (TCP 443, §5.1), utility services (name servers, §3.1) and VPN servers (§5.2).

    ``vpn``: what the VPN servers may be asked for (over the modem §2.2.2, over the Internet §2.1.3).
    ``inbound``: the ports of §5.3, which are the near end's own to open, on no way home.
    ``anybody``: TCP 443 is open to every address, and the servers are those that must be reached (§2.1.2.1: the
    firewall may limit the addresses). ``elsewhere``: servers that are another region's alone.
    """

    servers: tuple[IPv4Address, ...]
    name_servers: tuple[IPv4Address, ...]
    vpn_servers: tuple[IPv4Address, ...] = ()
    vpn: tuple[Service, ...] = ()
    inbound: tuple[range, ...] = ()
    anybody: bool = False
    elsewhere: tuple[IPv4Address, ...] = ()

    @property
    def hosts(self) -> tuple[IPv4Address, ...]:
        """Whom this is there for: the servers, or the VPN servers where a VPN is all that may pass."""
        return self.servers or self.vpn_servers

    def lets(self, host: IPv4Address, service: Service) -> bool:
        """Whether a VPN server may be asked for something."""
        return host in self.vpn_servers and service in self.vpn
