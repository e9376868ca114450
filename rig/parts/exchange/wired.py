"""Lines that carry bytes as they are: modems are taken to have understood each other after the training's time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rig.parts.exchange.circuit import Direction
from rig.parts.exchange.exchange import Exchange, ExchangeCall, Subscriber
from rig.parts.exchange.hayes.events import Line, OffHook, SendDigits
from rig.parts.exchange.loop import Telephone
from rig.parts.exchange.taps import Taps
from rig.run.control import Handler


class WiredCircuit:
    """What joins the ends of a call: after the training a direction each way, at the line's rate."""

    def __init__(self, call: ExchangeCall, taps: Taps) -> None:
        self.connected = False
        self._call = call
        self._taps = taps
        self._directions: dict[Subscriber, Direction] = {}
        call.later(call.timing.training, self._connect)

    def _connect(self) -> None:
        call = self._call
        assert call.callee is not None
        if call.caller.telephone is None:
            return  # a person, who hears a modem, and says hello to it
        self.connected = True
        ends = (call.caller, call.callee)
        for sender, receiver in (ends, ends[::-1]):
            assert receiver.telephone is not None
            deliver = self._taps.arriving(sender.name, receiver.name, receiver.telephone.line_data, call.goes_on)
            self._directions[sender] = Direction(call.timing.rate, self._taps.leaving(sender.name, deliver), call.drop)
        self._directions[call.callee].faults.drop_after = call.listing.drop_after
        for end in ends:
            end.tell(Line.CARRIER, call.timing.reported_rate)

    def outgoing(self, sender: Subscriber) -> Direction | None:
        """The direction that carries what this side sends; None before and after the circuit."""
        return self._directions.get(sender)

    def incoming(self, receiver: Subscriber) -> Direction | None:
        other = self._call.other(receiver)
        return self._directions.get(other) if other is not None else None

    def carried(self, sender: Subscriber) -> int:
        direction = self.outgoing(sender)
        return direction.carried if direction else 0

    def end(self) -> None:
        for direction in self._directions.values():
            direction.close()
        self._directions.clear()


def _circuit(line: Subscriber) -> WiredCircuit | None:
    circuit = line.call.circuit if line.call else None
    return circuit if isinstance(circuit, WiredCircuit) else None


class WiredLoop:
    """A subscriber's line. See loop.Loop."""

    def __init__(self, exchange: Exchange, line: Subscriber) -> None:
        self._exchange = exchange
        self._line = line

    @property
    def name(self) -> str:
        return self._line.name

    def attach(self, telephone: Telephone | None) -> None:
        self._line.telephone = telephone

    def off_hook(self, how: OffHook) -> None:
        (self._exchange.answer if how.answer else self._exchange.off_hook)(self._line)

    def on_hook(self) -> None:
        self._exchange.on_hook(self._line)

    def digits(self, sent: SendDigits) -> None:
        self._exchange.digits(self._line, sent.digits)

    def dial_complete(self) -> None:
        self._exchange.dial_complete(self._line)

    def send(self, data: bytes) -> None:
        if (direction := self._outgoing()) is not None:
            direction.write(data)

    def room(self, when: Callable[[], None]) -> bool:
        direction = self._outgoing()
        return direction is None or direction.room(when)

    def hold(self, on: bool) -> None:
        circuit = _circuit(self._line)
        if circuit is not None and (direction := circuit.incoming(self._line)) is not None:
            direction.hold(on)

    def _outgoing(self) -> Direction | None:
        circuit = _circuit(self._line)
        return circuit.outgoing(self._line) if circuit else None


class WiredLines:
    """All of an exchange's lines, and what can be asked to happen to the calls on them."""

    clock = None
    """The world's."""

    def __init__(self, taps: Taps) -> None:
        self._taps = taps

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """While it is: nothing has to be done."""
        return contextlib.nullcontext()

    def forget(self, name: str) -> None:
        """A line that is no more."""

    def join(self, call: ExchangeCall) -> WiredCircuit:
        return WiredCircuit(call, self._taps)

    def loop(self, exchange: Exchange, line: Subscriber) -> WiredLoop:
        return WiredLoop(exchange, line)

    def lead_outside(self, exchange: Exchange, line: Subscriber) -> None:
        raise ValueError("a wired line leads nowhere: it carries no sound")

    def listen(self, name: str, device: str, loudness: Callable[[], float | None]) -> None:
        raise ValueError("a wired line carries no sound")

    def handlers(self, find: Callable[[str], Subscriber]) -> dict[str, Handler]:
        """By name; each takes the ``line``, which ``find`` finds by its name."""

        def drop_carrier(line: str, after_bytes: int | None = None) -> None:
            """Cut the call on a line: now, or once so many bytes have gone to that line."""
            if after_bytes is None:
                find(line).in_call().drop()
            else:
                towards = directions(line)[1]
                towards.faults.drop_after = towards.carried + after_bytes

        def bit_errors(line: str, rate: float) -> None:
            """Errors in both directions, as the probability that a bit is wrong."""
            for direction in directions(line):
                direction.faults.bit_error_rate = rate

        def stall(line: str, milliseconds: float) -> None:
            """Nothing passes in either direction for so long."""
            for direction in directions(line):
                direction.stall(milliseconds / 1000)

        def directions(line: str) -> list[Direction]:
            subscriber = find(line)
            circuit = subscriber.in_call().circuit
            if not isinstance(circuit, WiredCircuit) or not circuit.connected:
                raise ValueError(f"the call on line {line} has no carrier yet")
            found = [circuit.outgoing(subscriber), circuit.incoming(subscriber)]
            return [direction for direction in found if direction is not None]

        return {"drop_carrier": drop_carrier, "bit_errors": bit_errors, "stall": stall}
