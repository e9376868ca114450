"""Where the probes of a way home run, and where one can stand to send them and to see what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from rig.checks.check import Surroundings
from rig.drivers.net.link_end import LinkEnd
from rig.paths.built import Built, Places
from rig.paths.up import Up
from rig.probes.cards import Cards
from rig.probes.making import Ground
from rig.probes.run import FenceRun, Vantage


@dataclass(frozen=True)
class Drawn:
    """How many addresses are drawn from the rest of the address space, and from which seed; ``only``,
    ``time_out``: see Ground."""

    sample: int = 200
    seed: int = 2007
    only: frozenset[str] = frozenset()
    time_out: float = 0.0


def ground_of(built: Built, up: Up, drawn: Drawn, other: Up | None = None, top: Up | None = None) -> Ground:
    """What the probes of a way are made of. ``other``: a second caller's; ``top``: the way that runs over this one."""
    allowed = up.allowed
    if not allowed.name_servers:  # a real gateway's, which it has told the caller
        allowed = replace(allowed, name_servers=up.name_servers)
    assert up.gateway is not None
    of_a_pool = built.pool if top is None else None
    pool = of_a_pool or IPv4Network(f"{up.source}/24", strict=False)
    allow, beside = built.bench.near_end.allow, other.source if other else None
    seen_as = built.places(up).seen_as
    proof = top.allowed.servers[-1] if top else None
    return Ground(
        allowed, up.source, up.gateway, pool, drawn.sample, drawn.seed, beside, allow, seen_as, proof, drawn.only,
        drawn.time_out,
    )  # fmt: skip


def vantage_of(built: Built, up: Up, other: Up | None = None, top: Up | None = None) -> Vantage:
    """Where one can stand. See :func:`ground_of`."""
    places = built.places(up)
    second = LinkEnd(other.namespace, other.interface) if other else None
    follower = top.namespace if top else None
    return Vantage(places.own, places.beyond, places.towards, second, cards_of(places), follower)


def cards_of(places: Places) -> Cards | None:
    """Both sides of a console with two network cards."""
    if places.local is None or places.managed is None or places.towards is None:
        return None
    return Cards(places.local, places.towards, places.managed)


def probes_of(
    built: Built,
    up: Up,
    drawn: Drawn,
    other: Up | None = None,
    told: Callable[[int, int], None] = lambda sent, total: None,
    top: Up | None = None,
) -> FenceRun:
    """The probes around a way that is up, watched where its other end is the rig's own. ``told``: how many have been
    sent, and of how many; ``other``, ``top``: see :func:`ground_of`."""
    return FenceRun(ground_of(built, up, drawn, other, top), vantage_of(built, up, other, top), told)


def surroundings(built: Built, up: Up) -> Surroundings:
    """What the checks work with, on a way that is up."""
    ground = ground_of(built, up, Drawn())
    places = built.places(up)
    return Surroundings(
        up,
        built.bench.expect,
        built.pool,
        built.ca,
        built.watch,
        ground,
        cards_of(places),
        places.beyond,
        places.logs,
        places.wire,
        places.taps,
        places.hop,
    )
