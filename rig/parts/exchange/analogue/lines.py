"""All lines of an exchange that carry sound, and what passes on each in every block."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from rig.drivers.sound.card import Loudspeaker, SoundCard
from rig.drivers.sound.samples import Sound, silence
from rig.parts.exchange.analogue.asked import Asked, impaired
from rig.parts.exchange.analogue.channel import Path
from rig.parts.exchange.analogue.clock import LineClock
from rig.parts.exchange.analogue.line_card import LineCard
from rig.parts.exchange.analogue.listening import Listening
from rig.parts.exchange.analogue.outside import Card, OutsideLine
from rig.parts.exchange.analogue.plan import AnaloguePlan
from rig.parts.exchange.analogue.recording import Recording
from rig.parts.exchange.analogue.sound_loop import SoundLoop
from rig.parts.exchange.exchange import Exchange, ExchangeCall, Subscriber
from rig.parts.exchange.hayes import events as hayes
from rig.parts.exchange.taps import Taps
from rig.run.control import Handler


@dataclass(eq=False)
class Line:
    """The exchange's end and the modem's, what is recorded of it, and who listens."""

    card: LineCard
    loop: SoundLoop | OutsideLine
    recording: Recording | None = None
    listening: Listening | None = None

    def record(self, recording: Recording | None) -> None:
        """From now on into another one, or into none."""
        if self.recording is not None:
            self.recording.close()
        self.recording = recording

    def listen(self, listening: Listening | None) -> None:
        """From now on through another one, or no longer."""
        if self.listening is not None:
            self.listening.close()
        self.listening = listening

    def passed(self, sent: Sound, heard: Sound) -> None:
        """Whoever records or listens is told of a block."""
        if self.recording is not None:
            self.recording.write(sent, heard, self.loop.pump)
        if self.listening is not None:
            self.listening.hear(sent + heard)

    def close(self) -> None:
        """It is no more."""
        self.listen(None)
        self.card.unplugged()
        self.record(None)
        if isinstance(self.loop, OutsideLine):
            self.loop.close()


class AnalogueCircuit:
    """See exchange.Circuit: a path between two lines, whose modems do the rest."""

    def __init__(self, lines: tuple[Line, Line], path: Path, ended: Callable[[AnalogueCircuit], None]) -> None:
        self.lines = lines
        self.path = path
        self._ended = ended
        for line in lines:
            line.card.joined = True

    @property
    def connected(self) -> bool:
        return all(line.loop.connected for line in self.lines)

    def carried(self, sender: Subscriber) -> int:
        return next(line.loop.arrivals.received for line in self.lines if line.loop.name != sender.name)

    def end(self) -> None:
        for line in self.lines:
            line.card.joined = False
        self._ended(self)


class PersonsCircuit:
    """See exchange.Circuit: somebody who called with a telephone hears a modem, and says hello to it."""

    connected = False

    def carried(self, sender: Subscriber) -> int:
        return 0

    def end(self) -> None:
        pass


class AnalogueLines:
    """See wired.WiredLines. ``clock`` has to run."""

    def __init__(self, plan: AnaloguePlan, taps: Taps) -> None:
        self.clock = LineClock(hurry=plan.hurry)
        self._plan = plan
        self._impairments = plan.impairments
        self._taps = taps
        self._lines: dict[str, Line] = {}
        self._circuits: list[AnalogueCircuit] = []
        self._seeds = itertools.count(1)
        self.clock.waits = self._somebody_is_called

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it is, the line's time passes. An error in that ends what is done meanwhile, and is raised."""
        passing, meanwhile = asyncio.create_task(self.clock.run(self.block)), asyncio.current_task()
        assert meanwhile is not None
        passing.add_done_callback(lambda _: passing.cancelled() or meanwhile.cancel())
        try:
            yield
        except asyncio.CancelledError:
            if passing.done() and (error := passing.exception()) is not None:
                raise error from None
            raise
        finally:
            passing.cancel()

    def join(self, call: ExchangeCall) -> AnalogueCircuit | PersonsCircuit:
        assert call.callee is not None
        if call.caller.telephone is None:
            self._lines[call.callee.name].card.line_event(hayes.Line.VOICE)
            return PersonsCircuit()
        ends = (call.caller, call.callee)
        for sender, receiver in (ends, ends[::-1]):
            loop, from_whom = (self._lines[end.name].loop for end in (receiver, sender))
            loop.arrivals.restart()
            if isinstance(loop, OutsideLine):
                loop.other = from_whom.pump
                continue
            known = from_whom.arrivals.take if isinstance(from_whom, OutsideLine) else _nothing
            loop.sent = self._taps.leaving(receiver.name, known)
            loop.arrive = self._taps.arriving(sender.name, receiver.name, loop.deliver, call.goes_on)
        if call.listing.drop_after is not None:
            self._lines[call.caller.name].loop.arrivals.after(call.listing.drop_after, call.drop)
        one, other = (self._lines[end.name] for end in ends)
        circuit = AnalogueCircuit((one, other), Path(self._impairments, next(self._seeds)), self._circuits.remove)
        self._circuits.append(circuit)
        return circuit

    def loop(self, exchange: Exchange, line: Subscriber) -> SoundLoop:
        """A line's, for a modem that is to be put on it."""
        loop = SoundLoop(line.name, self._plan.fastest, self.clock.wake)
        card = LineCard(exchange, line, loop.bell)
        line.telephone = card
        self._lines[line.name] = Line(card, loop)
        return loop

    def lead_outside(self, exchange: Exchange, line: Subscriber, card: Card | None = None) -> None:
        """Put a line on a sound card, the plan's if no other is given. From then on its pace is the line's time.
        Raises CannotRunError where the card is not there."""
        assert self._plan.card is not None
        if self.clock.beat is not None:
            raise ValueError("a line leads to the sound card already")
        card = card or SoundCard(self._plan.card.device)
        outside = OutsideLine(line, card, self._plan.card.louder)
        self.clock.beat = card.due
        line.telephone = exchanges_end = LineCard(exchange, line, outside.bell, outside.digits)
        self._lines[line.name] = Line(exchanges_end, outside)
        self.clock.wake()

    def line(self, name: str) -> Line:
        """One that has been made."""
        return self._lines[name]

    def listen(self, name: str, device: str, loudness: Callable[[], float | None]) -> None:
        """Let a line be heard through a sound card; see listening.Listening."""
        self._lines[name].listen(Listening(Loudspeaker(device), loudness))

    def _soft(self, name: str) -> SoundLoop:
        loop = self._lines[name].loop
        if isinstance(loop, OutsideLine):
            raise ValueError(f"line {name} leads outside: its modem is none of the rig's")  # noqa: TRY004 - as above
        return loop

    def forget(self, name: str) -> None:
        """A line that is no more."""
        if (line := self._lines.pop(name, None)) is not None:
            line.close()
            if isinstance(line.loop, OutsideLine):
                self.clock.beat = None

    def handlers(self, find: Callable[[str], Subscriber]) -> dict[str, Handler]:
        """By name; see asked.Asked."""

        def path(name: str) -> Path:
            circuit = find(name).in_call().circuit
            if not isinstance(circuit, AnalogueCircuit):
                raise ValueError(f"the call on line {name} has not been answered")  # noqa: TRY004 - by anybody's fault
            return circuit.path

        asked = Asked(find, path, self._soft, lambda name: self._lines[name].loop.arrivals)
        own: dict[str, Handler] = {"sound": self.record, "impair_calls": self.impair_calls, "time": self.clock.time}
        return {**asked.handlers(), **own}

    def impair_calls(self, **impairments: Any) -> None:
        """Beside those that the bench has, of calls to come: keys as in its exchange.impairments."""
        self._impairments = impaired(self._plan.impairments, impairments)

    def record(self, line: str, file: str) -> None:
        """Record the sound of a line from now on (see recording.Recording); "" for no longer."""
        self._lines[line].record(Recording(File(file)) if file else None)

    def _somebody_is_called(self) -> bool:
        return any(line.card.rings for line in self._lines.values())

    # --- sound -----------------------------------------------------------------------------------------------

    def block(self) -> bool:
        """20 ms of every line; whether there is anything on any."""
        active = [line for line in self._lines.values() if line.loop.active]
        sent = {}
        for line in active:
            current, sound = line.loop.speak()
            sent[line] = sound
            line.card.hear(current, sound)
        come = {line: line.card.speak() for line in active}
        for circuit in list(self._circuits):
            one, other = circuit.lines
            come[one], come[other] = circuit.path.carry(sent.get(one, silence()), sent.get(other, silence()))
        for line in active:
            line.passed(sent[line], come[line])
            line.loop.hear(come[line])
        return bool(active)


def _nothing(data: bytes) -> None:
    """Bytes whose way goes on as sound."""
