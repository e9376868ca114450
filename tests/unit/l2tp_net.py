"""Two L2TP endpoints and a network between them that loses, doubles, delays and swaps datagrams, or does so to single
messages, in virtual time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from rig.drivers.faults.datagrams import l2tp_name
from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Switchboard, spoiled
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import Event


@dataclass
class Network:
    """``loss`` and ``doubled`` are probabilities, ``delay`` the most that a datagram takes, in seconds."""

    seed: int = 1
    loss: float = 0.0
    doubled: float = 0.0
    delay: float = 0.01
    near_identity: Identity = field(default_factory=lambda: Identity("near"))
    far_identity: Identity = field(default_factory=lambda: Identity("far"))
    far_allows: Callable[[object], bool] = lambda peer: True
    cut: bool = False
    switchboard: Switchboard = field(default_factory=lambda: Switchboard(()))

    def __post_init__(self) -> None:
        self.now = 0.0
        self.near = Endpoint(self.near_identity)
        self.far = Endpoint(self.far_identity, self.far_allows)
        self.told: dict[str, list[Event]] = {"near": [], "far": []}
        self.sent: list[bytes] = []
        self._random = random.Random(self.seed)
        self._order = itertools.count()
        self._flying: list[tuple[float, int, str, bytes]] = []
        self.handlers: dict[str, Callable[[Told], None]] = {}

    def _collect(self) -> None:
        ends: tuple[tuple[Sender, Endpoint, Sender], ...] = (("near", self.near, "far"), ("far", self.far, "near"))
        for name, endpoint, other in ends:
            for datagram, _ in endpoint.take_outgoing():
                self.sent.append(datagram)
                copies = 2 if self._random.random() < self.doubled else 1
                passed = self.switchboard.passes(l2tp_name(datagram), name, datagram, self.now, spoiled)
                for leaves, data in passed * copies:
                    if not self.cut and self._random.random() >= self.loss:
                        arrives = leaves + self._random.uniform(0, self.delay)
                        heapq.heappush(self._flying, (arrives, next(self._order), other, data))
            for told in endpoint.take_events():
                self.told[name].append(told.event)
                if name in self.handlers:
                    self.handlers[name](told)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        self._collect()
        while True:
            due = [self._flying[0][0]] if self._flying else []
            due += [each for each in (self.near.deadline, self.far.deadline) if each is not None]
            if not due or min(due) > end:
                self.now = end
                return
            self.now = max(self.now, min(due))
            while self._flying and self._flying[0][0] <= self.now:
                _, _, name, datagram = heapq.heappop(self._flying)
                endpoint, peer = (self.near, "far") if name == "near" else (self.far, "near")
                endpoint.receive(datagram, peer, self.now)
                self._collect()
            self.near.tick(self.now)
            self.far.tick(self.now)
            self._collect()

    def happened(self, name: str, kind: type[Event]) -> list[Event]:
        return [event for event in self.told[name] if isinstance(event, kind)]
