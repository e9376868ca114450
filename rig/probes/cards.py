"""What must not pass between the console's two network cards, either way (§2.1.2.1): they keep the local system network
apart from the Internet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.destinations import HTTPS
from rig.drivers.net.link_end import LinkEnd
from rig.probes import observer, packets
from rig.probes.engine import Follow, Sent, probe_inward
from rig.probes.making import Ground, ProbeMaker
from rig.probes.probe import Outcome, Probe

FIRST_OUT, FIRST_IN = 50001, 52001
CATEGORY = "between the cards"
PORTS = (22, 80, HTTPS, 9920)
KINDS = ("UDP", "ICMP echo", "ESP", "IP in IP")


@dataclass(frozen=True)
class Cards:
    """``local``: the end of a managed system on the second card, whose address is ``managed``; ``customer``: an end in
    the customer's network, before the first card. Each leads to the console's own Ethernet address there."""

    local: LinkEnd
    customer: LinkEnd
    managed: IPv4Address


def from_the_local_network(ground: Ground, managed: IPv4Address) -> list[Probe]:
    """What a managed system sends to the console, for others: servers, strangers, the customer's network."""
    make = ProbeMaker(ground, FIRST_OUT)
    targets = [*ground.allowed.servers, *make.unauthorized(make.drawn("0.0.0.0/1"), 4), ground.gateway]
    return [probe for target in targets for probe in _all_kinds(make, managed, target)]


def to_the_local_network(ground: Ground, managed: IPv4Address) -> list[Probe]:
    """What somebody in the customer's network, or from beyond it, sends to the console for a managed system."""
    make = ProbeMaker(ground, FIRST_IN)
    sources = [ground.gateway, *ground.allowed.servers, *make.unauthorized(make.drawn("0.0.0.0/1"), 4)]
    return [probe for source in sources for probe in _all_kinds(make, source, managed)]


def _all_kinds(make: ProbeMaker, source: IPv4Address, target: IPv4Address) -> Iterator[Probe]:
    for port in PORTS:
        number = make.number()
        made = packets.tcp(source, target, port, number)
        yield make.inward(CATEGORY, f"TCP from {source} to {target}:{port}", made, number)
    for name in KINDS:
        number = make.number()
        yield make.inward(
            CATEGORY, f"{name} from {source} to {target}", packets.KINDS[name](source, target, number), number
        )


def probe_cards(ground: Ground, cards: Cards, follow: Follow, sent: Sent = lambda: None) -> list[Outcome]:
    """Both ways; seen behind the other card. Raises ProbeError as the engine does."""
    outcomes = []
    for probes, sender, behind in (
        (from_the_local_network(ground, cards.managed), cards.local, cards.customer),
        (to_the_local_network(ground, cards.managed), cards.customer, cards.local),
    ):
        with closing(observer.arriving(behind.namespace, behind.interface)) as watcher:
            outcomes += probe_inward(probes, sender, [watcher], follow, sent)
    return outcomes
