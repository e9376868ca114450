"""An emulated modem: the Hayes engine joined to a terminal on one side and to the exchange on the other."""

from __future__ import annotations

import asyncio
import contextlib

from rig.drivers.modem.profile import Profile
from rig.parts.exchange.hayes.engine import Engine
from rig.parts.exchange.hayes.events import (
    Carrier,
    DialComplete,
    Effect,
    Flash,
    Line,
    ModemState,
    OffHook,
    OnHook,
    SendDigits,
    ToDte,
    ToLine,
)
from rig.parts.exchange.loop import Clock, Handle, Loop
from rig.parts.exchange.terminal import Terminal

OUT_LIMIT = 16384
"""Bytes kept for a terminal that does not read; above it the far end is held back."""


class SoftModem:
    """One emulated modem, without a terminal until one is put at ``terminal``. See terminal.Dce, loop.Telephone.

    ``instant``: it takes no time to dial and to train. Without a ``clock`` the time is the event loop's.
    """

    def __init__(
        self, loop: Loop, profile: Profile | None = None, *, instant: bool = False, clock: Clock | None = None
    ) -> None:
        self.loop = loop
        self.engine = Engine(profile, instant=instant)
        self.answer_delay = self.engine.persona.answer_delay
        self.terminal: Terminal | None = None
        self._clock = clock or asyncio.get_running_loop()
        self._timer: Handle | None = None
        self._timer_for: float | None = None
        self._input_held = False
        self._thinking = False
        loop.attach(self)

    def close(self) -> None:
        """Unplug it."""
        self.loop.on_hook()
        self.loop.attach(None)
        if self._timer is not None:
            self._timer.cancel()
        if self.terminal is not None:
            terminal, self.terminal = self.terminal, None
            terminal.close()

    # --- the terminal's side -------------------------------------------------------------------------------

    def set_dtr(self, on: bool) -> None:
        self._run(self.engine.set_dtr(on, self._clock.time()))

    def takes_more(self) -> bool:
        if self._thinking:
            return False
        if self.engine.state is not ModemState.DATA:
            return True
        return self.loop.room(self._resume)

    def from_dte(self, data: bytes) -> None:
        if self.answer_delay and b"\r" in data and self.engine.state is ModemState.COMMAND:
            self._thinking = True
            self._clock.call_later(self.answer_delay, self._answer, data)
        else:
            self._run(self.engine.from_dte(data, self._clock.time()))

    def _answer(self, data: bytes) -> None:
        """A command that took its time."""
        self._thinking = False
        self._run(self.engine.from_dte(data, self._clock.time()))
        self._resume()

    def _resume(self) -> None:
        if self.terminal is not None:
            self.terminal.resume()

    def drained(self) -> None:
        if self._input_held and self.terminal is not None and self.terminal.pending < OUT_LIMIT // 2:
            self._hold_line(False)

    def _hold_line(self, on: bool) -> None:
        self._input_held = on
        self.loop.hold(on)

    # --- the line's side -----------------------------------------------------------------------------------

    def line_event(self, event: Line, rate: int = 0) -> None:
        if self.terminal is None:
            return
        self.terminal.sample()
        if event is Line.RING:
            self.terminal.ring()
        self._run(self.engine.on_line(event, self._clock.time(), rate))
        asyncio.get_running_loop().call_soon(self._resume)  # what waited for room on a line that may be gone now

    def line_data(self, data: bytes) -> None:
        self._run(self.engine.from_line(data, self._clock.time()))
        if self.terminal is not None and self.terminal.pending >= OUT_LIMIT and not self._input_held:
            self._hold_line(True)

    # --- effects -------------------------------------------------------------------------------------------

    def _run(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._do(effect)
        self._set_timer()

    def _do(self, effect: Effect) -> None:
        match effect:
            case ToDte(data):
                if self.terminal is not None:
                    self.terminal.write(data)
            case ToLine(data):
                self.loop.send(data)
            case OffHook():
                self.loop.off_hook(effect)
            case OnHook():
                self.loop.on_hook()
            case SendDigits():
                self.loop.digits(effect)
            case DialComplete():
                self.loop.dial_complete()
            case Carrier(on, lost):
                if self.terminal is not None:
                    self.terminal.carrier(on, lost=lost)
            case Flash():
                pass

    def _set_timer(self) -> None:
        deadline = self.engine.deadline
        if deadline == self._timer_for and (deadline is None) == (self._timer is None):
            return  # as for each piece of data in a call
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_for = deadline
        if deadline is None:
            return
        if deadline <= self._clock.time():
            self._timer = asyncio.get_running_loop().call_soon(self._tick)
        else:
            self._timer = self._clock.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        with contextlib.suppress(OSError):
            self._run(self.engine.tick(self._clock.time()))
