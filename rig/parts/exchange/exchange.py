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

from rig.parts.exchange.hayes.events import Line
from rig.parts.exchange.loop import Clock, Handle, Telephone


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


class Circuit(Protocol):
    """What joins the ends of a call that was answered. ``connected``: their modems hear each other's carrier."""

    @property
    def connected(self) -> bool: ...

    def carried(self, sender: Subscriber) -> int:
        """How many bytes of this side's have arrived."""

    def end(self) -> None:
        """Take it down; nobody is told."""


@dataclass(eq=False)
class Subscriber:
    """One line: its number and name, what stands at its end, and the call that it is in."""

    number: str
    name: str
    telephone: Telephone | None = None
    call: ExchangeCall | None = None
    dialled: str = ""
    off_hook: bool = False

    def tell(self, event: Line, rate: int = 0) -> None:
        """Whatever stands at its end, if anything does."""
        if self.telephone is not None:
            self.telephone.line_event(event, rate)

    def in_call(self) -> ExchangeCall:
        """The call that it is in. Raises ValueError where it is in none."""
        if self.call is None:
            raise ValueError(f"line {self.name} is in no call")
        return self.call


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
    """A call from its last digit to the hook: ringing, and the circuit once it was answered."""

    def __init__(self, exchange: Exchange, caller: Subscriber, listing: Listing) -> None:
        self.exchange = exchange
        self.timing = exchange.timing
        self.caller = caller
        self.callee: Subscriber | None = None
        self.listing = listing
        self.answered = False
        self.circuit: Circuit | None = None
        self._timers: list[Handle] = []

    def begin(self) -> None:
        self.later(self.timing.setup, self._present)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do it then, unless the call has ended."""
        if self.goes_on():  # a modem may have hung up within what it was just told
            self._timers.append(self.exchange.clock.call_later(seconds, what))

    def goes_on(self) -> bool:
        return self in self.exchange.calls

    def _present(self) -> None:
        kind = self.listing.kind
        if kind == "modem":
            self.callee = next((line for line in self.listing.lines if not line.off_hook and not line.call), None)
        if kind == "busy" or (kind == "modem" and self.callee is None):
            self.caller.tell(Line.BUSY)
        elif kind == "unknown":
            self.caller.tell(Line.QUIET)
        else:
            if self.callee is not None:
                self.callee.call = self
            self._ring()
        if kind == "voice":
            self.later(self.timing.ring_every / 2, self._voice)
        if kind in ("busy", "unknown") or (kind == "modem" and self.callee is None):
            self.later(self.timing.patience, self.release)

    def _ring(self) -> None:
        if self.answered:
            return
        self.caller.tell(Line.RINGBACK)
        if self.callee is not None:
            self.callee.tell(Line.RING)
        self.later(self.timing.ring_every, self._ring)

    def _voice(self) -> None:
        """Somebody says hello to a modem, and hangs up."""
        self.answered = True
        self.caller.tell(Line.VOICE)
        self.later(self.timing.patience, self.release)

    def answer(self) -> None:
        """The callee goes off hook, and is joined to the caller."""
        if not self.answered:
            self.answered = True
            self.circuit = self.exchange.join(self)

    def silence(self) -> None:
        """The callee is off hook and does not answer as a modem does: ringing ends, and no carrier comes."""
        self.answered = True

    def hang_up_after_patience(self) -> None:
        """The caller has no more patience than a voice that answers."""
        self.later(self.timing.setup + self.timing.ring_every * 2 + self.timing.patience, self._caller_leaves)

    def _caller_leaves(self) -> None:
        self.hang_up(self.caller)

    def other(self, end: Subscriber) -> Subscriber | None:
        """Who is at the other end; None where nobody is yet."""
        return self.callee if end is self.caller else self.caller

    def drop(self) -> None:
        """Carrier goes, at both ends, as when the line is cut."""
        for end in self._ends():
            end.tell(Line.CARRIER_LOST)
        self._clear()

    def release(self) -> None:
        """The exchange lets the caller's line go."""
        self.caller.tell(Line.RELEASED)
        self._clear()

    def hang_up(self, who: Subscriber) -> None:
        """One side goes on hook: the other loses carrier, or its ringing stops."""
        for end in self._ends():
            if end is not who and (self.answered or end is self.caller):
                end.tell(Line.CARRIER_LOST)
        self._clear()

    def _ends(self) -> list[Subscriber]:
        return [end for end in (self.caller, self.callee) if end is not None]

    def _clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self.circuit is not None:
            self.circuit.end()
        for end in self._ends():
            if end.call is self:
                end.call = None
        self.exchange.ended(self)


class Exchange:
    """The directory, and the calls under way. ``join`` makes the circuit of a call; without a ``clock`` the time is the
    event loop's."""

    def __init__(self, timing: Timing, join: Callable[[ExchangeCall], Circuit], clock: Clock | None = None) -> None:
        self.timing = timing
        self.join = join
        self.clock = clock or asyncio.get_running_loop()
        self.directory: dict[str, Listing] = {}
        self.subscribers: dict[str, Subscriber] = {}
        self.calls: list[ExchangeCall] = []
        self.dead_lines: set[str] = set()
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

    def unsubscribe(self, name: str) -> None:
        """A line that is no more."""
        line = self.subscribers.pop(name)
        for listing in self.directory.values():
            if line in listing.lines:
                listing.lines.remove(line)

    # --- what telephones do ------------------------------------------------------------------------------

    def off_hook(self, line: Subscriber) -> None:
        line.off_hook = True
        line.dialled = ""
        if line.call is not None:  # somebody is ringing: there is no dial tone but a caller on the line
            line.call.silence()
            return
        if line.name not in self.dead_lines:
            line.tell(Line.DIALTONE)

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
