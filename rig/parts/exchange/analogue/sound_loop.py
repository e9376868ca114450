"""A modem's line that carries sound: what loop.Loop asks, as hook, pulses and a data pump's blocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from rig.drivers.sound import modulations
from rig.drivers.sound.samples import SECONDS, Sound, coded, silence
from rig.parts.exchange.analogue.arrivals import Arrivals
from rig.parts.exchange.analogue.data_pump import DataPump, Phase
from rig.parts.exchange.hayes.events import Line, OffHook, SendDigits
from rig.parts.exchange.loop import Telephone

ROOM = 256
"""Bytes for the line that a modem keeps: a second's at 2,400 bit/s."""
HELD = 65536
"""Bytes from the line that it keeps for a terminal that takes none; more are lost, without error correction."""
BETWEEN_CALLS_SECONDS = 0.4
"""For so long a loop stays open, or its exchange takes it for a digit's pulse."""
BREAK, MAKE, BETWEEN = 3, 2, 35
"""Blocks of a pulse (60 ms without current, 40 ms with it) and of the pause between two digits."""


class SoundLoop:
    """See loop.Loop. ``fastest``: what its modem can do, in bit/s; ``wake`` is called when there will be sound."""

    def __init__(self, name: str, fastest: int, wake: Callable[[], None]) -> None:
        self.name = name
        self.arrivals = Arrivals()
        self.lost = 0
        self.arrive: Callable[[bytes], None] = self.deliver
        self.pump = DataPump(self._tell, self._take, self._next_byte)
        self.fastest = fastest
        self._wake = wake
        self._telephone: Telephone | None = None
        self._off_hook = False
        self._rest = 0.0  # seconds for which it still has to be open
        self._pulses: deque[bool] = deque()
        self._to_send: deque[int] = deque()
        self._came = bytearray()
        self._waits_for_room: Callable[[], None] | None = None
        self._holding = False
        self.sent: Callable[[bytes], None] = lambda _: None

    # --- the modem's side --------------------------------------------------------------------------------------

    def attach(self, telephone: Telephone | None) -> None:
        self._telephone = telephone

    def off_hook(self, how: OffHook) -> None:
        self._off_hook = True
        allowed = modulations.allowed(how.carrier, how.automode, self.fastest)
        (self.pump.answer if how.answer else self.pump.listen)(allowed)
        self._wake()

    def on_hook(self) -> None:
        if self._off_hook:
            self._rest = BETWEEN_CALLS_SECONDS
        self._off_hook = False
        self._pulses.clear()
        self._to_send.clear()
        self._came.clear()
        self._holding = False
        self.pump.stop()

    def digits(self, sent: SendDigits) -> None:
        if not sent.pulse:
            self.pump.dial(sent.digits, sent.seconds)
            return
        for digit in sent.digits:
            self._pulses += ([False] * BREAK + [True] * MAKE) * (int(digit) or 10) + [True] * BETWEEN

    def dial_complete(self) -> None:
        """Its exchange hears for itself."""

    def send(self, data: bytes) -> None:
        self._to_send += data
        self.sent(data)

    def room(self, when: Callable[[], None]) -> bool:
        if len(self._to_send) < ROOM:
            return True
        self._waits_for_room = when
        return False

    def hold(self, on: bool) -> None:
        self._holding = on  # what has come meanwhile follows with the next block

    # --- the line's side ---------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether it has to be heard: off hook, or not long on it."""
        return self._off_hook or self._rest > 0

    @property
    def connected(self) -> bool:
        return self.pump.phase in (Phase.DATA, Phase.RETRAINING)

    def bell(self, event: Line) -> None:
        """What comes over the line without being sound: see line_card.LineCard."""
        if self._telephone is not None:
            self._telephone.line_event(event)

    def speak(self) -> tuple[bool, Sound]:
        """Whether current flows in the next block, and what is sent in it."""
        if self._rest > 0:
            self._rest -= SECONDS
            return False, silence()
        if self._pulses:
            return self._pulses.popleft(), silence()
        if not self._off_hook:
            return False, silence()
        sound = self.pump.transmit().astype(np.float32)
        if self._waits_for_room is not None and len(self._to_send) <= ROOM // 2:
            wake, self._waits_for_room = self._waits_for_room, None
            wake()
        return True, sound

    def hear(self, sound: Sound) -> None:
        """What came in that block."""
        if not self._off_hook:
            return
        self.pump.receive(coded(sound))
        if self._came and not self._holding:
            data = bytes(self._came)
            self._came.clear()
            self.arrive(data)
            self.arrivals.take(data)
        self.pump.watch()

    def deliver(self, data: bytes) -> None:
        """Bytes that came, to the modem."""
        if self._telephone is not None:
            self._telephone.line_data(data)

    # --- the pump's side ---------------------------------------------------------------------------------------

    def _tell(self, event: Line, rate: int) -> None:
        if self._telephone is not None:
            self._telephone.line_event(event, rate)

    def _take(self, byte: int) -> None:
        if len(self._came) < HELD:
            self._came.append(byte)
        else:
            self.lost += 1

    def _next_byte(self) -> int | None:
        return self._to_send.popleft() if self._to_send else None
