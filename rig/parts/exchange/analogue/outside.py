"""A line whose telephone is none of the rig's: a real modem, at the other end of a sound card.

A sound card carries sound and nothing else: no current by which a hook is seen, no pulses, no bell. So dial tone is
always there and a digit lifts the receiver; who dials again, or rings for a minute, has hung up before; and who is
called has to be told to answer (ATA), since nothing rings.
"""

from __future__ import annotations

import logging
from typing import Protocol

from rig.drivers.sound.dtmf import DtmfReceiver
from rig.drivers.sound.samples import BLOCK, SECONDS, Sound, coded, gain, level
from rig.parts.exchange.analogue import tones
from rig.parts.exchange.analogue.arrivals import Arrivals
from rig.parts.exchange.analogue.data_pump import DataPump
from rig.parts.exchange.analogue.hearing import FAINT_DBM0
from rig.parts.exchange.analogue.line_card import LAST_DIGIT_SECONDS
from rig.parts.exchange.analogue.sound_loop import BETWEEN_CALLS_SECONDS
from rig.parts.exchange.exchange import Subscriber
from rig.parts.exchange.hayes.events import Line

_log = logging.getLogger("exchange")
ANSWERS_SECONDS = 0.1
"""Who is called and is no longer silent for so long has answered."""
UNANSWERED_SECONDS = 60.0
"""Behind its last digit, somebody whom nobody answers has given up, as S7 has it; and wants dial tone for the next."""


class Card(Protocol):
    """Where the line leads to. See rig.drivers.sound.card.SoundCard."""

    async def due(self) -> None: ...
    def read(self) -> Sound: ...
    def write(self, sound: Sound) -> None: ...
    def close(self) -> None: ...


class Digits:
    """Those that were heard before the exchange saw the line lifted, and after. See line_card.HearsDigits. ``held``:
    they are of a call to come, and the exchange has not seen the end of the last one yet."""

    def __init__(self) -> None:
        self.held = False
        self._heard = ""

    def forget(self) -> None:
        self._heard = ""

    def put(self, digits: str) -> None:
        self._heard += digits

    def receive(self, sound: object) -> str:
        """All that were heard since it was asked."""
        if self.held:
            return ""
        heard, self._heard = self._heard, ""
        return heard


class OutsideLine:
    """The modem's end of a line, as sound_loop.SoundLoop is one to lines.AnalogueLines. ``louder``: dB by which what
    the card hears, and what it is to play, is changed."""

    active = True
    """Nobody knows when it will be heard."""

    def __init__(self, line: Subscriber, card: Card, louder: tuple[float, float] = (0.0, 0.0)) -> None:
        self.name = line.name
        self.digits = Digits()
        self.arrivals = Arrivals()  # of what was sent there: what comes to a modem that is not the rig's is not known
        self._line = line
        self._card = card
        self._in, self._out = gain(louder[0]), gain(louder[1])
        self._tones = DtmfReceiver(through_dial_tone=True)
        self._dial_tone = tones.Player()
        self._dial_tone.play(tones.DIAL_TONE)
        self._off_hook = self._was_in_call = False
        self._rest = self._loud = 0.0
        self._since_digit = LAST_DIGIT_SECONDS
        self.other: DataPump | None = None

    @property
    def connected(self) -> bool:
        """As far as can be known: the other end's modem knows better."""
        return self._in_call

    @property
    def pump(self) -> DataPump | None:
        """The other end's, in a call; which knows what is going on."""
        return self.other if self._in_call else None

    @property
    def _in_call(self) -> bool:
        return self._line.call is not None and self._line.call.answered

    def bell(self, event: Line) -> None:
        if event is Line.RING:
            _log.info("%s: RING; nothing rings there: its modem has to be told to answer (ATA)", self.name)
        elif event is Line.RELEASED:
            self._hang_up()

    def speak(self) -> tuple[bool, Sound]:
        """Whether the receiver is lifted, as far as is known, and what came from there in this block."""
        sound = self._card.read() * self._in
        self._rest -= SECONDS
        self._since_digit += SECONDS
        self._judge(sound)
        self.digits.held = self._rest > 0
        return self._off_hook and not self.digits.held, sound

    def hear(self, sound: Sound) -> None:
        """What is to be heard there."""
        if not self._off_hook:
            sound = self._dial_tone.next(BLOCK) if self._line.call is None else 0 * sound
        self._card.write(sound * self._out)

    def close(self) -> None:
        self._card.close()

    def _judge(self, sound: Sound) -> None:
        if self._in_call:
            self._was_in_call = True
        elif self._was_in_call:
            self._hang_up()
        elif self._rings:
            self._loud = self._loud + SECONDS if level(sound) > FAINT_DBM0 else 0.0
            self._off_hook = self._loud >= ANSWERS_SECONDS
        elif digits := self._tones.receive(coded(sound)):
            self._dialled(digits)
        elif self._line.call is not None and self._since_digit >= UNANSWERED_SECONDS:
            self._hang_up()

    @property
    def _rings(self) -> bool:
        return self._line.call is not None and self._line.call.callee is self._line

    def _dialled(self, digits: str) -> None:
        again = self._since_digit >= LAST_DIGIT_SECONDS
        self._since_digit = 0.0
        if self._line.call is not None and self._rest <= 0:
            if not again:
                return  # more digits than the number has
            self._hang_up()
        self.digits.put(digits)
        self._off_hook = True

    def _hang_up(self) -> None:
        self._off_hook = self._was_in_call = False
        self._rest, self._loud = BETWEEN_CALLS_SECONDS, 0.0
        self.digits.forget()
