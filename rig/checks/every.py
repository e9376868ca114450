"""Every check of a way home, in the order in which they are run."""

from __future__ import annotations

from rig.checks.check import Check
from rig.checks.fenced import origin, unauthorized_host, unauthorized_source
from rig.checks.names import name_service
from rig.checks.network import address_masked, cards_apart
from rig.checks.servers import authorized_servers
from rig.checks.session import authentication, own_address
from rig.paths.up import Kind

__all__ = [
    "ALL", "address_masked", "authentication", "authorized_servers", "cards_apart", "for_way", "name_service", "origin",
    "own_address", "unauthorized_host", "unauthorized_source",
]  # fmt: skip

ALL: tuple[Check, ...] = (
    authentication,
    own_address,
    name_service,
    authorized_servers,
    unauthorized_host,
    unauthorized_source,
    address_masked,
    cards_apart,
    origin,
)


def for_way(kind: Kind) -> tuple[Check, ...]:
    """Those that hold for a kind of way home."""
    return tuple(check for check in ALL if kind in check.kinds)
