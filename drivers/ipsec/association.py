"""What the two ends of a VPN have agreed on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Association:
    """What two ends have agreed on (phase 1 and quick mode). ``udp``: ESP goes in UDP 4500, because of NAT."""

    ike: str
    esp: str
    mode: str
    udp: bool
