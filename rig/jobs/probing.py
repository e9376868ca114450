"""Where the probes of a way home run, and where one can stand to send them and to see what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from rig.checks.check import Surroundings
from rig.console.networks import CARD, SECOND_CARD
from rig.parts.rack import FarEnd
from rig.parts.router.rules import INSIDE, OUTSIDE
from rig.paths.built import Built
from rig.paths.internet_building import OUTSIDE_CARD, BuiltInternet
from rig.paths.modem_building import BuiltModem
from rig.paths.up import Up
from rig.probes.cards import Cards
from rig.probes.engine import End
from rig.probes.making import Ground
from rig.probes.run import FenceRun, Vantage


@dataclass(frozen=True)
class Drawn:
    """How many addresses are drawn from the rest of the address space, and from which seed."""

    sample: int = 200
    seed: int = 2007


def ground_of(built: Built, up: Up, drawn: Drawn, other: Up | None = None) -> Ground:
    """What the probes of a way are made of. ``other``: a second caller's."""
    allowed = up.allowed
    if not allowed.name_servers:  # a real gateway's, which it has told the caller
        allowed = replace(allowed, name_servers=up.name_servers)
    assert up.gateway is not None
    pool = built.pool or IPv4Network(f"{up.source}/24", strict=False)
    seen_as = built.network.outside.ip if isinstance(built, BuiltInternet) else None
    allow = built.bench.near_end.allow
    beside = other.source if other else None
    return Ground(allowed, up.source, up.gateway, pool, drawn.sample, drawn.seed, beside, allow, seen_as)


def vantage_of(built: Built, up: Up, other: Up | None = None) -> Vantage:
    """Where one can stand."""
    if isinstance(built, BuiltInternet):
        return _of_a_network(built, up)
    assert isinstance(built, BuiltModem)
    return of_a_call(up, built.far, other)


def of_a_call(up: Up, far: FarEnd | None, other: Up | None = None) -> Vantage:
    """On a call: behind the gateway, and at its end of the line, where it is the rig's own."""
    return Vantage(
        End(up.namespace, up.interface),
        far.behind_the_gateway if far else None,
        far.towards(up.source) if far else None,
        End(other.namespace, other.interface) if other else None,
    )


def _of_a_network(built: BuiltInternet, up: Up) -> Vantage:
    router, hosts = built.network.router.namespace, built.network.hosts.namespace
    return Vantage(
        End(up.namespace, CARD, router.hardware_address(INSIDE)),
        End(hosts, OUTSIDE_CARD, router.hardware_address(OUTSIDE)),
        End(router, INSIDE, up.namespace.hardware_address(CARD)),
        cards=cards_of(built),
    )


def cards_of(built: Built) -> Cards | None:
    """Both sides of a console with two network cards."""
    if not isinstance(built, BuiltInternet) or built.managed is None:
        return None
    console, managed, router = built.console.namespace, built.managed, built.network.router.namespace
    return Cards(
        End(managed.namespace, managed.interface, console.hardware_address(SECOND_CARD)),
        End(router, INSIDE, console.hardware_address(CARD)),
        managed.address,
    )


def probes_of(
    built: Built,
    up: Up,
    drawn: Drawn,
    other: Up | None = None,
    told: Callable[[int, int], None] = lambda sent, total: None,
) -> FenceRun:
    """The probes around a way that is up, watched where its other end is the rig's own. ``told``: how many have been
    sent, and of how many."""
    return FenceRun(ground_of(built, up, drawn, other), vantage_of(built, up, other), told)


def surroundings(built: Built, up: Up) -> Surroundings:
    """What the checks work with, on a way that is up."""
    ground = ground_of(built, up, Drawn())
    return Surroundings(up, built.bench.expect, built.pool, built.ca, built.watch, ground, cards_of(built))
