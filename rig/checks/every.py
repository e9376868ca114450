"""Every check of a way home, in the order in which they are run."""

from __future__ import annotations

from rig.checks.check import Check
from rig.checks.fenced import origin, unauthorized_host, unauthorized_source
from rig.checks.names import name_service
from rig.checks.network import address_masked, cards_apart
from rig.checks.proxied import around_the_proxy, credentials_go_nowhere_else, where_it_lets_us, who_may_pass
from rig.checks.servers import authorized_servers
from rig.checks.session import authentication, own_address
from rig.checks.vpn import (
    beside_the_vpn,
    nothing_in_clear,
    replayed_and_altered,
    the_local_hop,
    what_was_agreed,
)
from rig.paths.up import Kind

__all__ = [
    "ALL",
    "address_masked",
    "around_the_proxy",
    "authentication",
    "authorized_servers",
    "beside_the_vpn",
    "cards_apart",
    "credentials_go_nowhere_else",
    "for_way",
    "name_service",
    "nothing_in_clear",
    "origin",
    "own_address",
    "replayed_and_altered",
    "the_local_hop",
    "unauthorized_host",
    "unauthorized_source",
    "what_was_agreed",
    "where_it_lets_us",
    "who_may_pass",
]  # fmt: skip

ALL: tuple[Check, ...] = (
    authentication,
    own_address,
    name_service,
    authorized_servers,
    unauthorized_host,
    unauthorized_source,
    who_may_pass,
    where_it_lets_us,
    around_the_proxy,
    credentials_go_nowhere_else,
    what_was_agreed,
    nothing_in_clear,
    beside_the_vpn,
    replayed_and_altered,
    the_local_hop,
    address_masked,
    cards_apart,
    origin,
)


def for_way(kind: Kind) -> tuple[Check, ...]:
    """Those that hold for a kind of way home."""
    return tuple(check for check in ALL if kind in check.kinds)
