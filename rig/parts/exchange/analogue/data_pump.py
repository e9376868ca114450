"""The half of a modem that makes sound, and tells what it hears: dialling, call progress, V.8, training, data.

Sans-I/O: a block in, a block out, fifty times a second of the line's time. What it finds out is told as what happens
on a line (hayes.events.Line).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np

from rig.drivers.sound import modulations
from rig.drivers.sound.dtmf import DtmfSender
from rig.drivers.sound.fsk import Fsk, FskModem
from rig.drivers.sound.modulations import B103, V22, V22B, Kinds, Modulation
from rig.drivers.sound.samples import BLOCK, SECONDS, Coded
from rig.drivers.sound.v8 import V8, Outcome
from rig.drivers.sound.v22bis import Signal, V22bis
from rig.parts.exchange.analogue.hearing import Heard, Listener
from rig.parts.exchange.analogue.quality import Quality
from rig.parts.exchange.analogue.v14 import CharacterReceiver, CharacterSender
from rig.parts.exchange.hayes.events import Line

BEFORE_ANSWER_SECONDS = 1.8
"""Of silence behind the hook, for the exchange's own signals (V.25 §4.3: 1.8 to 2.5 s)."""
RENEW_SECONDS = 0.1
"""Of silence, which the far end takes for a lost carrier, and both train anew."""
AGREE_SECONDS = 5.5
"""Behind the answer tone's beginning. Who answers has given V.8 up by then, and begins to train."""
READY_SECONDS = 0.4
"""Of ones behind a training, so that the far end is there, too, when characters come (circuit 106, V.22bis §6.3)."""
MARKS = 47
"""Bits of mark one behind the other, which are a carrier of 300 bit/s: 155 ms (V.21 §4)."""
RETRAIN_SECONDS = 12.0
"""A retrain that takes longer has failed."""
_SILENCE: Coded = np.zeros(BLOCK, np.int16)

Tell = Callable[[Line, int], None]


class Phase(Enum):
    """What it is about; the report's names of a call's parts, too."""

    IDLE = "on hook"
    LISTENING = "listening"
    DIALLING = "dialling"
    BEFORE_ANSWER = "silence before the answer"
    AGREEING = "answer tone, V.8"
    TRAINING = "training"
    DATA = "data"
    RETRAINING = "no carrier, or a retrain"


class DataPump:
    """``tell`` takes what happens, and a rate with CARRIER; ``take`` each byte received; ``next_byte`` gives the next
    to be sent, or None."""

    def __init__(self, tell: Tell, take: Callable[[int], None], next_byte: Callable[[], int | None]) -> None:
        self.phase = Phase.IDLE
        self.calling = True
        self.allowed: tuple[Modulation, ...] = ()
        self.quality = Quality()
        self._tell = tell
        self._sender = CharacterSender(next_byte)
        self._receiver = CharacterReceiver(take)
        self._listener = Listener(self._heard)
        self._dialler: DtmfSender | None = None
        self._v8: V8 | None = None
        self._modem: V22bis | FskModem | None = None
        self.modulation: Modulation | None = None
        self._told: list[int] = []
        self._seconds = self._left = 0.0
        self._marks = 0

    # --- what the modem wants --------------------------------------------------------------------------------

    def listen(self, allowed: tuple[Modulation, ...]) -> None:
        """Off hook, to call."""
        self.calling, self.allowed = True, allowed
        self._listener = Listener(self._heard)
        self._go(Phase.LISTENING)

    def dial(self, digits: str, seconds: float) -> None:
        """Send digits as tones; see hayes.events.SendDigits."""
        if self._dialler is None or self.phase is not Phase.DIALLING:
            self._dialler = DtmfSender(seconds)
        self._dialler.put(digits)
        self._left = len(digits) * 2 * seconds
        self._go(Phase.DIALLING)

    def answer(self, allowed: tuple[Modulation, ...]) -> None:
        """Off hook, to take a call."""
        self.calling, self.allowed = False, allowed
        self._go(Phase.BEFORE_ANSWER)

    def stop(self) -> None:
        """On hook."""
        self._v8 = self._modem = None
        self._go(Phase.IDLE)

    def retrain(self, rate: int | None = None) -> bool:
        """Train anew, at another ``rate`` if one is given; False where that cannot be.

        As after a cut: by a carrier that goes away. libspandsp 0.0.6 has a request for it, too, of which the caller
        does not come out (findings/libspandsp-v22bis-caller-does-not-come-out-of-a-retrain.sh).
        """
        kind = next((one for one in (V22B, V22) if one.rate == (rate or self.rate)), None)
        if self.phase is not Phase.DATA or not isinstance(self._modem, V22bis) or kind is None:
            return False
        self._renew(kind)
        self._go(Phase.RETRAINING)
        return True

    def _renew(self, modulation: Modulation) -> None:
        """Begin anew, silent for a moment."""
        self._begin(modulation)
        self._left = RENEW_SECONDS

    # --- sound -----------------------------------------------------------------------------------------------

    def transmit(self) -> Coded:
        """The next block."""
        self._seconds += SECONDS
        self._left -= SECONDS
        return _TRANSMIT[self.phase](self)

    def receive(self, sound: Coded) -> None:
        """A block from the line."""
        _RECEIVE[self.phase](self, sound)
        told, self._told = self._told, []
        for status in told:  # behind the library's call: it may be ended by what is told
            if (handler := _SIGNALS.get((self.phase, status))) is not None:
                handler(self)

    def _silence(self) -> Coded:
        return _SILENCE

    def _digits(self) -> Coded:
        assert self._dialler is not None
        if self._left < 0:
            self._go(Phase.LISTENING)
        return self._dialler.transmit(BLOCK)

    def _before_answer(self) -> Coded:
        if self._seconds >= BEFORE_ANSWER_SECONDS:
            self._agree()
        return _SILENCE

    def _v8_sound(self) -> Coded:
        assert self._v8 is not None
        sound = self._v8.transmit(BLOCK)
        if self.calling and self._seconds >= AGREE_SECONDS:  # libspandsp's V.8 waits for ever for a tone in much noise
            self._agreed(Outcome.NOT_V8, modulations.kinds(self.allowed))
        return sound

    def _modem_sound(self) -> Coded:
        assert self._modem is not None
        return self._modem.transmit(BLOCK)

    def _training_sound(self) -> Coded:
        """A caller of 300 bit/s is silent until it hears who answers (V.25 §4.2)."""
        return _SILENCE if self._left > 0 or (self.calling and self._modem_marks()) else self._modem_sound()

    def _renewed_sound(self) -> Coded:
        if RETRAIN_SECONDS <= self._seconds < RETRAIN_SECONDS + SECONDS:  # once: each would begin S10 anew
            self._told.append(Signal.TRAINING_FAILED)
        return _SILENCE if self._left > 0 else self._modem_sound()

    def _nothing(self, sound: Coded) -> None:
        pass

    def _listen(self, sound: Coded) -> None:
        self._listener.hear(sound)

    def _hear_v8(self, sound: Coded) -> None:
        assert self._v8 is not None
        self._v8.receive(sound)

    def _hear_modem(self, sound: Coded) -> None:
        assert self._modem is not None
        self._modem.receive(sound)

    # --- what is heard ---------------------------------------------------------------------------------------

    def _heard(self, what: Heard) -> None:
        self._tell(_HEARD[what], 0)
        if not self.calling:
            return
        if what is Heard.ANSWER_TONE and self.allowed and B103 not in self.allowed:
            self._agree()
        elif what is Heard.BELL_TONE and B103 in self.allowed:
            self._train(B103)

    def _agree(self) -> None:
        """V.8, or only V.25's tone where nothing is to be agreed."""
        if not self.calling and self.allowed == (B103,):
            self._train(B103)  # whose answer tone is its carrier
            return
        offers = len({one.kind for one in self.allowed}) > 1
        self._v8 = V8(
            calling=self.calling, modulations=modulations.kinds(self.allowed), agree=self._agreed, offers_v8=offers
        )
        self._go(Phase.AGREEING)

    def _agreed(self, outcome: Outcome, both: Kinds) -> None:
        """The best of what both have; where the other does not know V.8, the best of one's own."""
        chosen = next((one for one in self.allowed if one.kind & both), None)
        if chosen is None:
            self._told.append(Signal.TRAINING_FAILED)
        else:
            self._train(chosen)

    def _train(self, modulation: Modulation) -> None:
        self._begin(modulation)
        self._left = 0.0
        self._go(Phase.TRAINING)

    def _begin(self, modulation: Modulation) -> None:
        self._receiver.restart()
        self._marks = 0
        self.quality = Quality(self.quality)
        self._modem = self._modem_for(modulation)
        if isinstance(self._modem, V22bis):
            self._modem.watch_symbols(self.quality.take)
        self.modulation = modulation

    def signal(self) -> dict[str, object]:
        """For whoever looks on: ``phase``, ``rate`` in bit/s, ``level`` heard in dBm0, ``error`` of the points (their
        mean square distance) and the ``points`` of the last second, see quality.Quality."""
        level = self._modem.level if isinstance(self._modem, V22bis) else None
        return {
            "phase": self.phase.value, "rate": self.rate, "level": level, "error": self.quality.error,
            "points": self.quality.constellation,
        }  # fmt: skip

    def _modem_for(self, modulation: Modulation) -> V22bis | FskModem:
        """It begins to train."""
        if modulation.kind is Kinds.V22:
            return V22bis(
                calling=self.calling, rate=modulation.rate, next_bit=self._next_bit, take_bit=self._take_bit,
                take_signal=self._signalled,
            )  # fmt: skip
        kind = Fsk.BELL103 if modulation is B103 else Fsk.V21
        return FskModem(
            kind, calling=self.calling, next_bit=self._next_bit, take_bit=self._take_bit, take_signal=self._signalled
        )

    # --- bits ------------------------------------------------------------------------------------------------

    def _next_bit(self) -> int:
        return self._sender.bit() if self.phase is Phase.DATA and self._seconds >= READY_SECONDS else 1

    def _take_bit(self, bit: int) -> None:
        if self.phase is Phase.DATA:
            self._receiver.bit(bit)
        elif self._modem_marks():
            self._marks = self._marks + 1 if bit else 0
            if self._marks == MARKS:
                self._told.append(Signal.TRAINED)

    def _modem_marks(self) -> bool:
        """Whether the modem is one whose training is that either end hears the other's mark."""
        return isinstance(self._modem, FskModem)

    def _signalled(self, status: int) -> None:
        self._told.append(status)

    # --- what the receiver says ------------------------------------------------------------------------------

    @property
    def rate(self) -> int:
        """Bit/s, as it was agreed; 0 before."""
        if isinstance(self._modem, V22bis):
            return self._modem.rate
        return self.modulation.rate if self.modulation else 0

    def _trained(self) -> None:
        if isinstance(self._modem, V22bis):
            self.quality.began(self.rate)
        self._go(Phase.DATA)
        self._tell(Line.CARRIER, self.rate)

    def _carrier_there(self) -> None:
        self._tell(Line.CARRIER, 0)

    def _failed(self) -> None:
        self._tell(Line.CARRIER_LOST, 0)

    def _carrier_gone(self) -> None:
        self._trains_again()
        self._tell(Line.CARRIER_LOST, 0)

    def _trains_again(self) -> None:
        self._receiver.restart()
        self._go(Phase.RETRAINING)

    def watch(self) -> None:
        """Once a block: a signal that is poor for long is trained on anew, and then more slowly."""
        if self.quality.lost and self._modem is not None and self.modulation is not None:
            self._renew(self.modulation)
            if self.phase is Phase.DATA:
                self._carrier_gone()
        if self.phase is not Phase.DATA or not self.quality.poor or (self.quality.again and self.rate == V22.rate):
            return  # what is poor at the slowest, too, stays
        self.retrain(V22.rate if self.quality.again else None)

    def _go(self, phase: Phase) -> None:
        self.phase = phase
        self._seconds = 0.0


_TRANSMIT: dict[Phase, Callable[[DataPump], Coded]] = {
    Phase.IDLE: DataPump._silence,
    Phase.LISTENING: DataPump._silence,
    Phase.DIALLING: DataPump._digits,
    Phase.BEFORE_ANSWER: DataPump._before_answer,
    Phase.AGREEING: DataPump._v8_sound,
    Phase.TRAINING: DataPump._training_sound,
    Phase.DATA: DataPump._modem_sound,
    Phase.RETRAINING: DataPump._renewed_sound,
}
_RECEIVE: dict[Phase, Callable[[DataPump, Coded], None]] = {
    Phase.IDLE: DataPump._nothing,
    Phase.LISTENING: DataPump._listen,
    Phase.DIALLING: DataPump._nothing,
    Phase.BEFORE_ANSWER: DataPump._nothing,
    Phase.AGREEING: DataPump._hear_v8,
    Phase.TRAINING: DataPump._hear_modem,
    Phase.DATA: DataPump._hear_modem,
    Phase.RETRAINING: DataPump._hear_modem,
}
_HEARD = {
    Heard.DIAL_TONE: Line.DIALTONE,
    Heard.RING_BACK: Line.RINGBACK,
    Heard.BUSY: Line.BUSY,
    Heard.QUIET: Line.QUIET,
    Heard.ANSWER_TONE: Line.ANSWERED,
    Heard.BELL_TONE: Line.ANSWERED,
}
_SIGNALS: dict[tuple[Phase, int], Callable[[DataPump], None]] = {
    (Phase.AGREEING, Signal.TRAINING_FAILED): DataPump._failed,
    (Phase.TRAINING, Signal.TRAINED): DataPump._trained,
    (Phase.TRAINING, Signal.TRAINING_FAILED): DataPump._failed,
    (Phase.DATA, Signal.CARRIER_DOWN): DataPump._carrier_gone,
    (Phase.DATA, Signal.RETRAINED): DataPump._trains_again,
    (Phase.RETRAINING, Signal.CARRIER_UP): DataPump._carrier_there,
    (Phase.RETRAINING, Signal.CARRIER_DOWN): DataPump._failed,
    (Phase.RETRAINING, Signal.TRAINED): DataPump._trained,
    (Phase.RETRAINING, Signal.TRAINING_FAILED): DataPump._failed,
}
