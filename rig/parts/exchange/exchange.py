"""The telephone exchange: who has which number, ringing, busy, hunt groups, and the circuits of calls.

A telephone (soft_modem.py) tells it hook and digits and is told what happens on its line. Times are in
seconds, rates in bit/s.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Switchboard
from rig.parts.exchange.circuit import Direction
from rig.parts.exchange.hayes.events import Line
from rig.parts.exchange.line_faults import Deliver, FaultyDirection


@dataclass(frozen=True)
class Timing:
    """How long a call takes. ``rate`` None: the line is instant and carries bytes as they come."""

    rate: int | None
    setup: float
    ring_every: float
    training: float
    patience: float
    """Seconds after which the exchange, or a voice, lets a line go that it plays to."""

    @property
    def reported_rate(self) -> int:
        return self.rate or 115200


class Telephone(Protocol):
    """What stands at the end of a subscriber's line."""

    def line_event(self, event: Line, rate: int = 0) -> None: ...

    def line_data(self, data: bytes) -> None: ...


@dataclass(eq=False)
class Subscriber:
    """One line: its number and name, what stands at its end, and the call that it is in."""

    number: str
    name: str
    telephone: Telephone | None = None
    call: ExchangeCall | None = None
    dialled: str = ""
    off_hook: bool = False


@dataclass(frozen=True)
class Listing:
    """A directory entry. ``kind``: modem, busy, no-answer or voice; a modem's lines are a hunt group."""

    number: str
    kind: str
    drop_after: int | None = None
    lines: list[Subscriber] = field(default_factory=list)


def canonical(number: str) -> str:
    """A number as the exchange compares it: digits, without the long-distance 1 in front."""
    digits = "".join(character for character in number if character in "0123456789*#ABCD")
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


class ExchangeCall:
    """A call from its last digit to the hook: ringing, training, circuit."""

    def __init__(self, exchange: Exchange, caller: Subscriber, listing: Listing) -> None:
        self.exchange = exchange
        self.timing = exchange.timing
        self.caller = caller
        self.callee: Subscriber | None = None
        self.listing = listing
        self.connected = False
        self.answered = False
        self._timers: list[asyncio.TimerHandle] = []
        self._directions: dict[Subscriber, Direction] = {}

    def begin(self) -> None:
        self._later(self.timing.setup, self._present)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        if self in self.exchange.calls:  # a modem may have hung up within what it was just told
            self._timers.append(asyncio.get_running_loop().call_later(seconds, what))

    def _present(self) -> None:
        kind = self.listing.kind
        if kind == "modem":
            self.callee = next((line for line in self.listing.lines if not line.off_hook and not line.call), None)
        if kind == "busy" or (kind == "modem" and self.callee is None):
            self._tell(self.caller, Line.BUSY)
        elif kind == "unknown":
            self._tell(self.caller, Line.QUIET)
        else:
            if self.callee is not None:
                self.callee.call = self
            self._ring()
        if kind == "voice":
            self._later(self.timing.ring_every / 2, self._voice)
        if kind in ("busy", "unknown") or (kind == "modem" and self.callee is None):
            self._later(self.timing.patience, self.release)

    def _ring(self) -> None:
        if self.answered:
            return
        self._tell(self.caller, Line.RINGBACK)
        if self.callee is not None:
            self._tell(self.callee, Line.RING)
        self._later(self.timing.ring_every, self._ring)

    def _voice(self) -> None:
        """Somebody says hello to a modem, and hangs up."""
        self.answered = True
        self._later(self.timing.patience, self.release)

    def answer(self) -> None:
        """The callee goes off hook; both modems train, then carrier is there."""
        if not self.answered:
            self.answered = True
            self._later(self.timing.training, self._connect)

    def silence(self) -> None:
        """The callee is off hook and does not answer as a modem does: ringing ends, and no carrier comes."""
        self.answered = True

    def _connect(self) -> None:
        assert self.callee is not None
        if self.caller.telephone is None:
            return  # a person, who hears a modem, and says hello to it
        self.connected = True
        ends = (self.caller, self.callee)
        for sender, receiver in (ends, ends[::-1]):
            assert receiver.telephone is not None
            deliver = self._as_it_comes(sender, receiver, receiver.telephone.line_data)
            self._directions[sender] = Direction(self.timing.rate, deliver, self.drop)
        self._directions[self.callee].faults.drop_after = self.listing.drop_after
        for end in ends:
            self._tell(end, Line.CARRIER, self.timing.reported_rate)

    def _as_it_comes(self, sender: Subscriber, receiver: Subscriber, deliver: Deliver) -> Deliver:
        """The same, by the faults of either's line, and whoever records a line is told: of what its end has sent, and
        of what has come to it."""
        faults = self.exchange.faults
        deliver = self._recorded(receiver, False, deliver)
        for end in (sender, receiver):
            if end.name in faults:
                whose: Sender = "near" if end is sender else "far"
                deliver = FaultyDirection(faults[end.name], whose, deliver, lambda: self in self.exchange.calls)
        return self._recorded(sender, True, deliver)

    def _recorded(self, end: Subscriber, sent: bool, deliver: Deliver) -> Deliver:
        record = self.exchange.recorders.get(end.name)
        if record is None:
            return deliver

        def recorded(data: bytes) -> None:
            record(sent, data)
            deliver(data)

        return recorded

    def hang_up_after_patience(self) -> None:
        """The caller has no more patience than a voice that answers."""
        self._later(self.timing.setup + self.timing.ring_every * 2 + self.timing.patience, self._caller_leaves)

    def _caller_leaves(self) -> None:
        self.hang_up(self.caller)

    def outgoing(self, sender: Subscriber) -> Direction | None:
        """The direction that carries what this side sends; None before and after the circuit."""
        return self._directions.get(sender)

    def incoming(self, receiver: Subscriber) -> Direction | None:
        other = self.callee if receiver is self.caller else self.caller
        return self._directions.get(other) if other is not None else None

    def drop(self) -> None:
        """Carrier goes, at both ends, as when the line is cut."""
        for end in self._ends():
            self._tell(end, Line.CARRIER_LOST)
        self._clear()

    def release(self) -> None:
        """The exchange lets the caller's line go."""
        self._tell(self.caller, Line.RELEASED)
        self._clear()

    def hang_up(self, who: Subscriber) -> None:
        """One side goes on hook: the other loses carrier, or its ringing stops."""
        for end in self._ends():
            if end is not who and (self.answered or end is self.caller):
                self._tell(end, Line.CARRIER_LOST)
        self._clear()

    def _ends(self) -> list[Subscriber]:
        return [end for end in (self.caller, self.callee) if end is not None]

    def _clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for direction in self._directions.values():
            direction.close()
        self._directions.clear()
        for end in self._ends():
            if end.call is self:
                end.call = None
        self.exchange.ended(self)

    @staticmethod
    def _tell(end: Subscriber, event: Line, rate: int = 0) -> None:
        if end.telephone is not None:
            end.telephone.line_event(event, rate)


class Exchange:
    """The directory, and the calls under way."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.directory: dict[str, Listing] = {}
        self.subscribers: dict[str, Subscriber] = {}
        self.calls: list[ExchangeCall] = []
        self.dead_lines: set[str] = set()
        self.recorders: dict[str, Callable[[bool, bytes], None]] = {}
        self.faults: dict[str, Switchboard] = {}
        self._spare_names = itertools.count(1)

    def list_number(self, number: str, kind: str, drop_after: int | None = None) -> Listing:
        listing = Listing(number, kind, drop_after)
        self.directory[canonical(number)] = listing
        return listing

    def subscribe(self, name: str, listing: Listing) -> Subscriber:
        """A new line of a number. Its telephone is put on it by whoever asked."""
        line = Subscriber(listing.number, name)
        listing.lines.append(line)
        self.subscribers[name] = line
        return line

    # --- what telephones do ------------------------------------------------------------------------------

    def off_hook(self, line: Subscriber) -> None:
        line.off_hook = True
        line.dialled = ""
        if line.call is not None:  # somebody is ringing: there is no dial tone but a caller on the line
            line.call.silence()
            return
        if line.name not in self.dead_lines and line.telephone is not None:
            line.telephone.line_event(Line.DIALTONE)

    def answer(self, line: Subscriber) -> None:
        line.off_hook = True
        if line.call is not None and line.call.callee is line:
            line.call.answer()

    def call_by_voice(self, number: str) -> None:
        """A person calls a number, says hello to whatever answers, and hangs up."""
        line = Subscriber("", f"telephone-{next(self._spare_names)}")
        line.dialled = number
        self.dial_complete(line)
        assert line.call is not None
        line.call.hang_up_after_patience()

    def digits(self, line: Subscriber, digits: str) -> None:
        line.dialled += digits

    def dial_complete(self, line: Subscriber) -> None:
        """The caller's last digit is in. A caller with a call already, or with a dead line, gets nothing."""
        if line.call is not None or line.name in self.dead_lines or not line.dialled:
            return
        unknown = Listing(line.dialled, "unknown")
        listing = self.directory.get(canonical(line.dialled), unknown)
        line.call = ExchangeCall(self, line, listing)
        self.calls.append(line.call)
        line.call.begin()

    def on_hook(self, line: Subscriber) -> None:
        line.off_hook = False
        line.dialled = ""
        if line.call is not None:
            line.call.hang_up(line)

    def ended(self, call: ExchangeCall) -> None:
        if call in self.calls:
            self.calls.remove(call)
