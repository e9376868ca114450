"""LCP of one end (RFC 1661 §5, §6), without I/O: packets and time in, packets and events out. Which options it asks for
and takes is its :class:`Wishes`; what a sound end must not do, a script may have it do."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rig.drivers.ppp.peer.automaton import Automaton, Event, State
from rig.drivers.ppp.peer.packet import LCP, Code, Kind, MalformedError, Option, Packet, packed

RESTART_SECONDS, MAX_CONFIGURE, MAX_TERMINATE, MAX_FAILURE = 3.0, 10, 2, 5
"""§4.6."""
LEAST_MRU, MRU = 128, 1500
VITAL = frozenset(range(Code.CONFIGURE_REQUEST, Code.PROTOCOL_REJECT))
"""Codes without which there is no LCP: a Code-Reject of one is RXJ- (§4.3)."""


@dataclass(frozen=True)
class Timing:
    """The restart timer in seconds, and the Max counters (§4.6)."""

    restart: float = RESTART_SECONDS
    max_configure: int = MAX_CONFIGURE
    max_terminate: int = MAX_TERMINATE
    max_failure: int = MAX_FAILURE


USUAL_TIMING = Timing()


@dataclass
class Wishes:
    """``options`` that it asks for; ``takes``: of the other's, by type, what it says to one: the same, taken; another,
    which is its Nak; None, its Reject. A type that is not there is rejected."""

    options: list[Option] = field(default_factory=list)
    takes: dict[int, Callable[[Option], Option | None]] = field(default_factory=dict)


def any_mru(option: Option) -> Option:
    """§6.1: all of them, but for those with which nothing could be said."""
    if len(option.value) != 2 or struct.unpack("!H", option.value)[0] < LEAST_MRU:
        return Option(Kind.MRU, struct.pack("!H", MRU))
    return option


def as_it_is(octets: int, instead: bytes) -> Callable[[Option], Option]:
    """Any value of so many octets; for another length, a Nak with a value that is right."""
    return lambda option: option if len(option.value) == octets else Option(option.kind, instead)


def usual(magic: Callable[[], bytes]) -> Wishes:
    """What most implementations have: their options, and what they take. ``magic`` draws a number."""
    wishes = Wishes([Option(Kind.MAGIC, magic()), Option(Kind.PFC), Option(Kind.ACFC)])

    def another(option: Option) -> Option:
        """§6.4: any but zero, and but its own, which would be itself at the other end."""
        own = [one.value for one in wishes.options if one.kind == Kind.MAGIC]
        sound = len(option.value) == 4 and option.value not in (bytes(4), *own)
        return option if sound else Option(Kind.MAGIC, magic())

    wishes.takes = {
        Kind.MRU: any_mru,
        Kind.ACCM: as_it_is(4, bytes(4)),
        Kind.MAGIC: another,
        Kind.PFC: as_it_is(0, b""),
        Kind.ACFC: as_it_is(0, b""),
    }
    return wishes


@dataclass(frozen=True)
class LayerUp:
    """Both ends have agreed. What each has asked for, and the other has taken."""

    own: tuple[Option, ...]
    others: tuple[Option, ...]


@dataclass(frozen=True)
class LayerDown:
    """It is no more agreed on."""


@dataclass(frozen=True)
class LayerFinished:
    """It is over, and the line may be let go."""


@dataclass(frozen=True)
class Echoed:
    """An Echo-Reply. ``magic``: whose number it bears."""

    id: int
    magic: int
    data: bytes


LayerEvent = LayerUp | LayerDown | LayerFinished | Echoed


class Lcp:
    """``out`` and ``events`` are the owner's to take; ``deadline``: when :meth:`tick` is next to be called. ``magic``
    draws a number, four octets."""

    protocol = LCP

    def __init__(
        self,
        wishes: Wishes,
        magic: Callable[[], bytes],
        timing: Timing = USUAL_TIMING,
    ) -> None:
        self.wishes = wishes
        self.timing = timing
        self.out: list[Packet] = []
        self.events: list[LayerEvent] = []
        self.deadline: float | None = None
        self.others: tuple[Option, ...] = ()
        self.mru = MRU
        self._magic = magic
        self._automaton = Automaton(self)
        self._now = 0.0
        self._id = 0
        self._restarts = 0
        self._refusals = 0
        self._asked: Packet | None = None
        self._heard: Packet | None = None
        self._answer: Packet | None = None

    @property
    def state(self) -> State:
        return self._automaton.state

    # --- what the owner does -------------------------------------------------------------------------------------

    def up(self, now: float) -> None:
        """The line is there."""
        self._happens(Event.UP, now)

    def down(self, now: float) -> None:
        self._happens(Event.DOWN, now)

    def open(self, now: float) -> None:
        """It is to come up."""
        self._happens(Event.OPEN, now)

    def close(self, now: float) -> None:
        self._happens(Event.CLOSE, now)

    def tick(self, now: float) -> None:
        """Time is up, or is not."""
        if self.deadline is not None and now >= self.deadline:
            self._happens(Event.TO_PLUS if self._restarts > 0 else Event.TO_MINUS, now)

    def _happens(self, what: Event, now: float) -> None:
        self._now = now
        self._automaton.event(what)
        if not self._automaton.waits:
            self.deadline = None

    # --- what comes ----------------------------------------------------------------------------------------------

    def receive(self, packet: Packet, now: float) -> None:
        """One of its packets. What is none in its place is silently discarded (§5)."""
        self._now, self._heard = now, packet
        if (step := STEPS.get(packet.code)) is None:
            self._happens(Event.RUC, now)
        else:
            step(self, packet)

    def receive_other(self, protocol: int, data: bytes, now: float) -> None:
        """A frame of a protocol that nobody here speaks (§5.7)."""
        self._now = now
        if self.state is State.OPENED:
            rest = struct.pack("!H", protocol) + data
            self._send(Code.PROTOCOL_REJECT, self._next_id(), rest[: self.mru - 4])

    def _configure_request(self, packet: Packet) -> None:
        try:
            options = packet.options
        except MalformedError:
            return
        nak, reject = [], []
        for option in options:
            judge = self.wishes.takes.get(option.kind)
            said = judge(option) if judge is not None else None
            if said is None:
                reject.append(option)
            elif said != option:
                nak.append(said)
        if nak and not reject and self._refusals >= self.timing.max_failure:
            reject = [one for one in options if any(one.kind == wanted.kind for wanted in nak)]  # §4.6, Max-Failure
        if reject:
            self._answer = Packet(self.protocol, Code.CONFIGURE_REJECT, packet.id, packed(reject))
        elif nak:
            self._answer = Packet(self.protocol, Code.CONFIGURE_NAK, packet.id, packed(nak))
        else:
            self._answer = Packet(self.protocol, Code.CONFIGURE_ACK, packet.id, packet.data)
        self.others = options
        self._happens(Event.RCR_MINUS if reject or nak else Event.RCR_PLUS, self._now)

    def _configure_ack(self, packet: Packet) -> None:
        if self._asked is not None and (packet.id, packet.data) == (self._asked.id, self._asked.data):
            self._happens(Event.RCA, self._now)

    def _configure_nak(self, packet: Packet) -> None:
        if (said := self._said_to_ours(packet)) is not None:
            for option in said:
                self._change(option)
            self._happens(Event.RCN, self._now)

    def _configure_reject(self, packet: Packet) -> None:
        said = self._said_to_ours(packet)
        if said and all(option in self.wishes.options for option in said):
            self.wishes.options = [option for option in self.wishes.options if option not in said]
            self._happens(Event.RCN, self._now)

    def _said_to_ours(self, packet: Packet) -> Sequence[Option] | None:
        if self._asked is None or packet.id != self._asked.id:
            return None
        try:
            return packet.options
        except MalformedError:
            return None

    def _change(self, wanted: Option) -> None:
        value = self._magic() if wanted.kind == Kind.MAGIC else wanted.value
        self.wishes.options = [
            Option(one.kind, value) if one.kind == wanted.kind else one for one in self.wishes.options
        ]

    def _terminate_request(self, packet: Packet) -> None:
        self._happens(Event.RTR, self._now)

    def _terminate_ack(self, packet: Packet) -> None:
        self._happens(Event.RTA, self._now)

    def _code_reject(self, packet: Packet) -> None:
        vital = bool(packet.data) and packet.data[0] in VITAL
        self._happens(Event.RXJ_MINUS if vital else Event.RXJ_PLUS, self._now)

    def _protocol_reject(self, packet: Packet) -> None:
        if self.state is State.OPENED and len(packet.data) >= 2:
            number = int.from_bytes(packet.data[:2], "big")
            self._happens(Event.RXJ_MINUS if number == self.protocol else Event.RXJ_PLUS, self._now)

    def _echo_request(self, packet: Packet) -> None:
        if len(packet.data) >= 4:
            self._happens(Event.RXR, self._now)

    def _echo_reply(self, packet: Packet) -> None:
        if self.state is State.OPENED and len(packet.data) >= 4:
            self.events.append(Echoed(packet.id, int.from_bytes(packet.data[:4], "big"), packet.data[4:]))

    def _discard_request(self, packet: Packet) -> None:
        """It is for nothing (§5.9)."""

    # --- the automaton's actions (§4.4) --------------------------------------------------------------------------

    def this_layer_up(self) -> None:
        self._refusals = 0
        sizes = [one.value for one in self.others if one.kind == Kind.MRU]
        self.mru = int.from_bytes(sizes[0], "big") if sizes else MRU
        self.events.append(LayerUp(tuple(self.wishes.options), self.others))

    def this_layer_down(self) -> None:
        self.events.append(LayerDown())

    def this_layer_started(self) -> None:
        """The line is wanted: it is there, or its owner brings it up."""

    def this_layer_finished(self) -> None:
        self.events.append(LayerFinished())

    def initialize_restart_count(self) -> None:
        closing = self.state in (State.CLOSING, State.STOPPING)
        self._restarts = self.timing.max_terminate if closing else self.timing.max_configure

    def zero_restart_count(self) -> None:
        """The other end is given the time to hear that it is over (§4.4)."""
        self._restarts = 0
        self.deadline = self._now + self.timing.restart

    def send_configure_request(self) -> None:
        self._restart()
        if self._asked is None or self._asked.data != packed(self.wishes.options) or self.state is not State.REQ_SENT:
            self._next_id()
        self._asked = self._send(Code.CONFIGURE_REQUEST, self._id, packed(self.wishes.options))

    def send_configure_ack(self) -> None:
        assert self._answer is not None
        self.out.append(self._answer)

    def send_configure_nak(self) -> None:
        assert self._answer is not None
        self._refusals += self._answer.code == Code.CONFIGURE_NAK
        self.out.append(self._answer)

    def send_terminate_request(self) -> None:
        self._restart()
        self._send(Code.TERMINATE_REQUEST, self._next_id())

    def send_terminate_ack(self) -> None:
        assert self._heard is not None
        answers = self._heard.code == Code.TERMINATE_REQUEST
        self._send(Code.TERMINATE_ACK, self._heard.id if answers else self._next_id())

    def send_code_reject(self) -> None:
        assert self._heard is not None
        self._send(Code.CODE_REJECT, self._next_id(), self._heard.pack()[: self.mru - 4])

    def send_echo_reply(self) -> None:
        assert self._heard is not None
        own = next((one.value for one in self.wishes.options if one.kind == Kind.MAGIC), bytes(4))
        self._send(Code.ECHO_REPLY, self._heard.id, (own + self._heard.data[4:])[: self.mru - 4])

    def _restart(self) -> None:
        self._restarts -= 1
        self.deadline = self._now + self.timing.restart

    def _next_id(self) -> int:
        self._id = self._id % 255 + 1
        return self._id

    def _send(self, code: int, number: int, data: bytes = b"") -> Packet:
        packet = Packet(self.protocol, code, number, data)
        self.out.append(packet)
        return packet


STEPS: dict[int, Callable[[Lcp, Packet], None]] = {
    Code.CONFIGURE_REQUEST: Lcp._configure_request,
    Code.CONFIGURE_ACK: Lcp._configure_ack,
    Code.CONFIGURE_NAK: Lcp._configure_nak,
    Code.CONFIGURE_REJECT: Lcp._configure_reject,
    Code.TERMINATE_REQUEST: Lcp._terminate_request,
    Code.TERMINATE_ACK: Lcp._terminate_ack,
    Code.CODE_REJECT: Lcp._code_reject,
    Code.PROTOCOL_REJECT: Lcp._protocol_reject,
    Code.ECHO_REQUEST: Lcp._echo_request,
    Code.ECHO_REPLY: Lcp._echo_reply,
    Code.DISCARD_REQUEST: Lcp._discard_request,
}
"""By the code of what comes."""
