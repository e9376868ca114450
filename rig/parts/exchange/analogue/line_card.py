"""The exchange's side of a telephone line: it feeds the loop and sees whether current flows, hears digits, and plays
what a caller is to hear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.drivers.sound.dtmf import DtmfReceiver
from rig.drivers.sound.samples import BLOCK, SECONDS, Coded, Sound, coded, silence
from rig.parts.exchange.analogue import tones
from rig.parts.exchange.exchange import Exchange, Subscriber, canonical
from rig.parts.exchange.hayes.events import Line

ON_HOOK_SECONDS = 0.3
"""A loop that is open for so long has gone on hook; for less, it was a digit's pulse (ITU-T Q.552 §2.1: 20 to 100)."""
BETWEEN_DIGITS_SECONDS = 0.24
"""Without a pulse for so long, a digit dialled by pulses is complete."""
LAST_DIGIT_SECONDS = 4.0
"""Without a digit for so long, a number is complete that the directory does not know; one that it does, at once."""


class HearsDigits(Protocol):
    """Who tells digits in a line's sound."""

    def receive(self, sound: Coded) -> str: ...


class PulseCounter:
    """Digits from a loop that is broken so many times."""

    def __init__(self) -> None:
        self._pulses = 0
        self._closed = 0.0

    def feed(self, current: bool, was: bool) -> str:
        """One block of the loop; a digit when it is complete."""
        if was and not current:
            self._pulses += 1
        self._closed = self._closed + SECONDS if current else 0.0
        if self._pulses and self._closed >= BETWEEN_DIGITS_SECONDS:
            digit, self._pulses = str(self._pulses % 10), 0
            return digit
        return ""

    def forget(self) -> None:
        self._pulses = 0


class LineCard:
    """One line's, as its exchange's telephone (loop.Telephone). ``to_modem``: events that are no sound: the bell, and
    the loop's current taken away. ``digits``: who hears those dialled by tones."""

    def __init__(
        self, exchange: Exchange, line: Subscriber, to_modem: Callable[[Line], None], digits: HearsDigits | None = None
    ) -> None:
        self.joined = False
        self._exchange = exchange
        self._line = line
        self._to_modem = to_modem
        self._player = tones.Player()
        self._tones = digits or DtmfReceiver()
        self._pulses = PulseCounter()
        self._current = self._off_hook = False
        self._open = self._since_digit = 0.0
        self._digits = ""
        self._complete = False

    # --- the exchange's side -------------------------------------------------------------------------------------

    def line_event(self, event: Line, rate: int = 0) -> None:
        handler = _EVENTS.get(event)
        if handler:
            handler(self)

    def line_data(self, data: bytes) -> None:
        raise AssertionError("an analogue line carries sound")

    def _dial_tone(self) -> None:
        self._player.play(tones.DIAL_TONE)

    def _ring_back(self) -> None:
        self._player.play(tones.ring_back(self._exchange.timing.ring_every / 3))

    def _busy(self) -> None:
        self._player.play(tones.BUSY)

    def _not_in_service(self) -> None:
        self._player.play(*tones.NOT_IN_SERVICE)

    def _hello(self) -> None:
        self._player.play(*tones.HELLO)

    def _rings(self) -> None:
        self._to_modem(Line.RING)

    def _far_end_gone(self) -> None:
        """Nothing for a while, and then what bids a caller hang up (ITU-T E.180 §6)."""
        self._player.play(tones.pause(self._exchange.timing.patience), tones.REORDER)

    def _released(self) -> None:
        self._player.play()
        self._to_modem(Line.RELEASED)

    # --- the loop's side -----------------------------------------------------------------------------------------

    def hear(self, current: bool, sound: Sound) -> None:
        """One block of the loop: whether current flows, and what the telephone sends."""
        was, self._current = self._current, current
        if current:
            self._open = 0.0
            if not self._off_hook:
                self._lifted()
        else:
            self._open += SECONDS
            if self._off_hook and self._open >= ON_HOOK_SECONDS:
                self._hung_up()
        if self._off_hook and not self.joined:
            self._hear_digits(self._pulses.feed(current, was) + self._tones.receive(coded(sound)))

    @property
    def rings(self) -> bool:
        """Whether it is called, and has not answered yet."""
        call = self._line.call
        return call is not None and call.callee is self._line and not call.answered

    def unplugged(self) -> None:
        """The line is no more."""
        if self._off_hook:
            self._hung_up()

    def speak(self) -> Sound:
        """What the telephone hears of its exchange in one block."""
        return self._player.next(BLOCK) if self._off_hook else silence()

    def _lifted(self) -> None:
        self._off_hook, self._complete, self._digits = True, False, ""
        self._pulses.forget()
        if self._line.call is not None:
            self._exchange.answer(self._line)
        else:
            self._exchange.off_hook(self._line)

    def _hung_up(self) -> None:
        self._off_hook = False
        self._player.play()
        self._exchange.on_hook(self._line)

    def _hear_digits(self, digits: str) -> None:
        if self._complete:
            return
        if digits:
            self._player.play()
            self._digits += digits
            self._since_digit = 0.0
            self._exchange.digits(self._line, digits.removesuffix("#"))  # which ends a number, and is none of it
            self._complete = canonical(self._digits) in self._exchange.directory or digits.endswith("#")
        elif self._digits:
            self._since_digit += SECONDS
            self._complete = self._since_digit >= LAST_DIGIT_SECONDS
        if self._complete:
            self._exchange.dial_complete(self._line)


_EVENTS: dict[Line, Callable[[LineCard], None]] = {
    Line.DIALTONE: LineCard._dial_tone,
    Line.RINGBACK: LineCard._ring_back,
    Line.BUSY: LineCard._busy,
    Line.QUIET: LineCard._not_in_service,
    Line.VOICE: LineCard._hello,
    Line.RING: LineCard._rings,
    Line.CARRIER_LOST: LineCard._far_end_gone,
    Line.RELEASED: LineCard._released,
}
