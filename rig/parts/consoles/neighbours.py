"""Who else is there: announcements in, announcements out, and what became of whom. Datagrams and time are passed in.

A console announces itself on each of its cards, quickly at first and then every few seconds, and at once to somebody
new. Where it has been silent for long it is no more; one that says goodbye is gone at once. What was heard before is
not heard again: a console's announcements are counted, over its starts, and of those that are gone the count is
remembered.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from msgspec.structs import replace

from rig.parts.consoles.announcement import Announcement, RejectedError, pack, unpack

EVERY = 5.0
"""Seconds between two announcements."""
MISSED = 3
"""By how many of them somebody may be missed before they are no more."""
EARLY = (0.0, 0.4, 1.2)
"""Seconds after a card is there: a network that loses a datagram is not to cost five of them."""
ANSWER_EVERY = 0.25
"""How often at most somebody new is answered at once: a flood of them is not to become one of ours."""
MOST, REMEMBERED = 64, 1024


@dataclass(frozen=True)
class Found:
    """Somebody is there, in a place where they were not."""

    id: str
    name: str
    place: str
    address: IPv4Address


@dataclass(frozen=True)
class Lost:
    """Nobody hears of them any more, in any place. ``why``: in words."""

    id: str
    name: str
    why: str


@dataclass(frozen=True)
class SameName:
    """Two are called the same."""

    name: str
    ids: tuple[str, str]


Event = Found | Lost | SameName


@dataclass
class Place:
    """Where somebody is heard: by a card, there itself or through a system that both manage. ``heard``: when, last."""

    card: str
    address: IPv4Address
    order: tuple[int, int]
    heard: float


@dataclass
class Neighbour:
    """``said``: its last announcement."""

    said: Announcement
    places: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """To everybody on a card, and to the managed systems that are reached by it."""

    card: str
    datagram: bytes


class Neighbours:
    """Of one console. ``own``: what it says of itself; ``systems``: that it manages, which tell one console of another;
    ``every``: how often it speaks, in seconds."""

    def __init__(
        self, own: Announcement, secret: bytes, systems: Iterable[IPv4Address] = (), every: float = EVERY
    ) -> None:
        self.own = own
        self.known: dict[str, Neighbour] = {}
        self.rejected: Counter[str] = Counter()
        self.events: list[Event] = []
        self.out: list[Outgoing] = []
        self._secret = secret
        self._systems = frozenset(systems)
        self._every = every
        self._cards: dict[str, IPv4Address] = {}
        self._due: dict[str, list[float]] = {}
        self._answered = float("-inf")
        self._orders: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._same: set[tuple[str, str]] = set()

    # --- cards ---------------------------------------------------------------------------------------------------

    def add_card(self, card: str, address: IPv4Address, now: float) -> None:
        """One is there, and up. Nothing happens when it is known by this address."""
        if self._cards.get(card) != address:
            self._cards[card] = address
            self._due[card] = [now + early * min(1.0, self._every / EVERY) for early in EARLY]

    def remove_card(self, card: str) -> None:
        """It is not there any more: whom nobody hears of elsewhere is gone."""
        if self._cards.pop(card, None) is None:
            return
        del self._due[card]
        for neighbour in list(self.known.values()):
            self._forget_places(neighbour, lambda place: place.card == card, f"{card} is down")

    # --- what comes ----------------------------------------------------------------------------------------------

    def receive(self, datagram: bytes, card: str, source: IPv4Address, now: float) -> None:
        """A datagram that has come by a card."""
        if (said := self._sound(datagram, card, source)) is None:
            return
        through = f" through {source}" if source in self._systems else ""
        name, known = f"{card}{through}", self.known.get(said.id)
        place = known.places.get(name) if known is not None else None
        if said.order < self._orders.get(said.id, (0, 0)) or (place is not None and said.order <= place.order):
            self.rejected["heard before"] += 1
            return
        if known is None and said.order == self._orders.get(said.id):
            self.rejected["heard before"] += 1  # of one that is gone
            return
        if known is None and not said.leaving and len(self.known) >= MOST:
            self.rejected["one too many"] += 1
            return
        self._remember(said)
        if said.leaving:
            if known is not None:
                self._lose(known, "it said goodbye")
            return
        if known is None:
            known = self.known[said.id] = Neighbour(said)
            self._compare_names(said)
        known.said = said
        known.places[name] = Place(card, IPv4Address(said.address), said.order, now)
        if place is None:
            self.events.append(Found(said.id, said.name, name, IPv4Address(said.address)))
            self._answer(card, now)

    def _sound(self, datagram: bytes, card: str, source: IPv4Address) -> Announcement | None:
        """Another console's announcement, from where it says; None, and counted, for anything else."""
        if card not in self._cards:
            self.rejected["by a card that is not ours"] += 1
            return None
        try:
            said = unpack(datagram, self._secret)
        except RejectedError as error:
            self.rejected[error.kind] += 1
            return None
        if said.id == self.own.id:
            if said.boot != self.own.boot:
                self.rejected["somebody else with our id"] += 1
            return None
        if str(source) != said.address and source not in self._systems:
            self.rejected["from elsewhere than it says"] += 1
            return None
        return said

    def _remember(self, said: Announcement) -> None:
        self._orders[said.id] = said.order
        self._orders.move_to_end(said.id)
        while len(self._orders) > REMEMBERED:
            oldest = next(one for one in self._orders if one not in self.known)
            del self._orders[oldest]

    def _compare_names(self, said: Announcement) -> None:
        others = [self.own.id] if said.name == self.own.name else []
        others += [one.said.id for one in self.known.values() if one.said.name == said.name and one.said.id != said.id]
        for other in others:
            pair = min(said.id, other), max(said.id, other)
            if pair not in self._same:
                self._same.add(pair)
                self.events.append(SameName(said.name, pair))

    def _answer(self, card: str, now: float) -> None:
        """Somebody new is not to wait for our next one."""
        if now - self._answered >= ANSWER_EVERY:
            self._answered = now
            self._due[card] = [now, *self._due[card]]

    def _forget_places(self, neighbour: Neighbour, which: Callable[[Place], bool], why: str) -> None:
        neighbour.places = {name: place for name, place in neighbour.places.items() if not which(place)}
        if not neighbour.places:
            self._lose(neighbour, why)

    def _lose(self, neighbour: Neighbour, why: str) -> None:
        del self.known[neighbour.said.id]
        self._same = {pair for pair in self._same if neighbour.said.id not in pair}
        self.events.append(Lost(neighbour.said.id, neighbour.said.name, why))

    # --- time ----------------------------------------------------------------------------------------------------

    @property
    def _patience(self) -> float:
        return MISSED * self._every

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called; None while there is no card."""
        silent = [place.heard + self._patience for one in self.known.values() for place in one.places.values()]
        return min([*(due[0] for due in self._due.values()), *silent], default=None)

    def tick(self, now: float) -> None:
        """Say what is due, and lose whom nobody has heard of for long."""
        speaking = [card for card, due in self._due.items() if due[0] <= now]
        if speaking:
            self._say(speaking)
            for card in speaking:
                self._due[card] = [due for due in self._due[card] if due > now] or [now + self._every]
        for neighbour in list(self.known.values()):
            self._forget_places(
                neighbour, lambda place: place.heard + self._patience <= now, f"silent for {self._patience:g} s"
            )

    def leave(self) -> None:
        """Say goodbye."""
        self._say(list(self._cards), leaving=True)

    def _say(self, cards: list[str], *, leaving: bool = False) -> None:
        self.own = replace(self.own, number=self.own.number + 1)
        for card in cards:
            said = replace(self.own, address=str(self._cards[card]), leaving=leaving)
            self.out.append(Outgoing(card, pack(said, self._secret)))
