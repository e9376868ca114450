"""What a check is: a section of the paper, the ways home that it holds for, what it needs, and what it says.

A check that cannot be run says so and holds nothing. Where the far side can be watched (an emulated bench),
"dropped" means that the packet did not arrive there; silence alone is never taken for it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Protocol

from rig.config.bench import ExpectTable
from rig.config.destinations import HTTPS, Destinations
from rig.drivers.base.errors import NetworkError
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.paths.built import Tap
from rig.paths.up import Kind, Up
from rig.probes.cards import Cards
from rig.probes.making import Ground
from rig.probes.reaching import ANSWER_SECONDS
from rig.verdict.verdict import CheckResult

SILENCE_SECONDS = 3.2
"""For one that should not: TCP repeats its SYN after one and three seconds, so this sees three tries."""
MODEMS: tuple[Kind, ...] = ("modem", "remote modem")
NETWORKS: tuple[Kind, ...] = ("internet", "proxy")
VPNS: tuple[Kind, ...] = ("vpn", "multi-hop")
EVERY: tuple[Kind, ...] = (*MODEMS, *NETWORKS, *VPNS)


class UnreachedError(Exception):
    """A server takes no connection. ``said``: what it said instead."""

    def __init__(self, target: str, said: str) -> None:
        super().__init__(target, said)
        self.target = target
        self.said = said


class Watch(Protocol):
    """Where one can look behind the way."""

    def ask(self, what: str, **arguments: Any) -> Any:
        """``arrivals``: the packets that have arrived whose fields have the values wanted; see hosts.ArrivalLog."""


@dataclass(frozen=True)
class Surroundings:
    """What the checks work with. ``expect``: what the bench holds the far side to; ``pool``: whom the gateway's
    addresses are of; ``ca``: a PEM file; ``watch``: behind the way, where that is the rig's own; ``ground``: what
    probes are made of; ``cards``: both sides of a console with two network cards; ``beyond``: behind the way; ``logs``:
    what a program on the way has written so far; ``wire``: where a VPN is seen from outside, ``taps``: and heard, and
    spoken into; ``hop``: the partition's end of the console's cable to it."""

    up: Up
    expect: ExpectTable
    pool: IPv4Network | None
    ca: str
    watch: Watch | None
    ground: Ground
    cards: Cards | None = None
    beyond: LinkEnd | None = None
    logs: Callable[[], dict[str, str]] | None = None
    wire: LinkEnd | None = None
    taps: tuple[Tap, ...] = ()
    hop: LinkEnd | None = None

    @property
    def namespace(self) -> NetworkNamespace:
        return self.up.namespace

    @property
    def allowed(self) -> Destinations:
        return self.up.allowed

    def speak_with(self, server: IPv4Address) -> socket.socket:
        """A connection to a server, for what is to be seen of it. Raises UnreachedError where it takes none: that is
        another check's to judge."""
        try:
            return self.up.connect(self.namespace, server, HTTPS, self.answer_seconds)
        except (OSError, NetworkError) as error:
            said = getattr(error, "strerror", None) or str(error)
            said = "no answer" if isinstance(error, TimeoutError) else said.lower()
            raise UnreachedError(f"{server}:{HTTPS}", said) from error

    @property
    def seen_as(self) -> IPv4Address:
        """The console's address as those beyond the way see it."""
        return self.ground.seen_as or self.up.source

    @property
    def answer_seconds(self) -> float:
        """For an answer that should come."""
        return ANSWER_SECONDS + self.up.queued_seconds

    @property
    def silence_seconds(self) -> float:
        """For one that should not."""
        return SILENCE_SECONDS + self.up.queued_seconds


Run = Callable[[Surroundings], Iterator[CheckResult]]


@dataclass(frozen=True)
class Check:
    """One check, called with its surroundings. ``section`` of the paper; ``kinds``: of the ways that it holds for;
    ``needs``: what must be there for it to be run, each a name and how it is found, and what is said where it is not.
    """

    section: str
    kinds: tuple[Kind, ...]
    run: Run
    needs: tuple[tuple[str, Callable[[Surroundings], bool]], ...] = ()

    @property
    def name(self) -> str:
        return self.run.__name__.replace("_", " ")

    def __call__(self, around: Surroundings) -> Iterator[CheckResult]:
        """Its results; one that says why, where it cannot be run here."""
        for lacking, is_there in self.needs:
            if not is_there(around):
                yield not_run(self.name, "", lacking)
                return
        try:
            yield from self.run(around)
        except UnreachedError as error:
            yield not_run(self.name, error.target, f"it is to be spoken with, and takes no connection: {error.said}")


def check(
    section: str, kinds: tuple[Kind, ...], needs: tuple[tuple[str, Callable[[Surroundings], bool]], ...] = ()
) -> Callable[[Run], Check]:
    """Makes a check of the function that runs it."""

    def made(run: Run) -> Check:
        return Check(section, kinds, run, needs)

    return made


def not_run(name: str, target: str, why: str) -> CheckResult:
    return CheckResult(name, target, "", f"not run: {why}", None)


WATCHED = ("the far side cannot be watched, and silence proves nothing here", lambda around: around.watch is not None)
"""Something that the check needs."""
