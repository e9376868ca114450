"""The modem itself: states, timers, and what each event does in each state. Sans-I/O.

Every public method takes the time (seconds, any clock that never goes back) and returns the effects, in
order. The host calls :meth:`Engine.tick` when :attr:`Engine.deadline` has come.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.config.profiles import FOLDER
from rig.drivers.modem.profile import Profile, load
from rig.parts.exchange.hayes import commands, results
from rig.parts.exchange.hayes.command_line import CommandLine
from rig.parts.exchange.hayes.dialling import Digits, Program, Step
from rig.parts.exchange.hayes.escape import EscapeGuard
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
from rig.parts.exchange.hayes.faults import Misbehaviour
from rig.parts.exchange.hayes.parse import CommandLineError, parse
from rig.parts.exchange.hayes.results import Code
from rig.parts.exchange.hayes.settings import Settings

BUFFER = 65536
"""Bytes from the line that are kept while the modem is in online command state."""
QUIET_SECONDS = 5.0
FLASH_SECONDS = 0.5
GRACE_SECONDS = 0.125
"""Behind a command line's end, within which no character ends what the line began (V.250 §5.6.1)."""
RING_MEMORY = 8.0
"""Seconds after the last ring at which S1 goes back to 0 (Hayes; V.250 has no S1)."""


class Engine:
    """One modem. ``instant``: it takes no time to dial and to train, for tests that do not watch that."""

    def __init__(self, profile: Profile | None = None, *, instant: bool = False) -> None:
        self.profile = profile or load(FOLDER / "rig-soft-modem.toml")
        self.persona = self.profile.persona
        self.instant = instant
        self.stored = Settings.factory(self.persona)
        self.settings = self.stored.copy()
        self.state = ModemState.COMMAND
        self.rate = 0
        self.off_hook = False
        self.dtr = True
        self._effects: list[Effect] = []
        self._timers: dict[str, float] = {}
        self._now = 0.0
        self._line = CommandLine(self.persona.longest_line)
        self._line_ended = -math.inf
        self._program: list[Digits | Step] = []
        self._carrier_shown = self._lost = False
        self._stay = False
        self._ringback = False
        self._held = bytearray()
        self._escape = EscapeGuard()
        self.misbehaviour = Misbehaviour()
        self._unsolicited = iter(self.persona.unsolicited)

    # --- what comes in ---------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is to be called next, at the latest."""
        return min(self._timers.values(), default=None)

    def tick(self, now: float) -> list[Effect]:
        """Let the timers that are due run out."""
        self._now = now
        for name, due in sorted(self._timers.items(), key=lambda timer: timer[1]):
            if due <= now and self._timers.get(name) == due:
                del self._timers[name]
                _TIMERS[name](self)
        return self._drain()

    def from_dte(self, data: bytes, now: float) -> list[Effect]:
        """Bytes from the terminal: commands, data, or the key that stops a call attempt."""
        self._now = now
        while data:
            if self.state is ModemState.DATA:
                self._data_from_dte(data)
                break
            if self.state in (ModemState.DIALLING, ModemState.CALLING, ModemState.ANSWERING):
                # One character is the abort, unless it comes so soon behind the line that it may belong to it, as the
                # line feed that some programs send; what follows it is a command again.
                if now < self._line_ended + GRACE_SECONDS:
                    break
                data = data[1:]
                self._give_up(Code.NO_CARRIER)
                continue
            data = self._command_bytes(data)
        return self._distorted(self._drain()) if self.misbehaviour.fault else self._drain()

    def _distorted(self, effects: list[Effect]) -> list[Effect]:
        said = b"".join(effect.data for effect in effects if isinstance(effect, ToDte))
        others: list[Effect] = [effect for effect in effects if not isinstance(effect, ToDte)]
        return [ToDte(self.misbehaviour.distort(said)), *others] if said else others

    def from_line(self, data: bytes, now: float) -> list[Effect]:
        """Bytes that the far end's modem sent."""
        self._now = now
        if self.state is ModemState.DATA:
            self._restart_inactivity()
            self._effects.append(ToDte(data))
        elif self.state is ModemState.ONLINE_COMMAND:
            self._held += data[: BUFFER - len(self._held)]
        return self._drain()

    def on_line(self, event: Line, now: float, rate: int = 0) -> list[Effect]:
        """The telephone line changed. ``rate`` in bit/s, with CARRIER."""
        self._now = now
        if event is Line.CARRIER and rate:
            self.rate = rate
        handler = _ON_LINE.get((self.state, event))
        if handler:
            handler(self)
        return self._drain()

    def set_dtr(self, on: bool, now: float) -> list[Effect]:
        """The terminal raised or dropped DTR; a drop shorter than S25 does nothing."""
        self._now = now
        if on:
            self._timers.pop("dtr", None)
            self.dtr = True
        else:
            self._start("dtr", self.settings.registers[25] / 100)
        return self._drain()

    # --- commands ----------------------------------------------------------------------------------------

    def _command_bytes(self, data: bytes) -> bytes:
        """Take bytes up to the end of one command line; the rest, for the state that the line leads to."""
        for position, byte in enumerate(data):
            character = byte & 0x7F
            if self.settings.options["E"]:
                self._send(bytes([character]))
            try:
                line = self._line.feed(character, self.settings.registers)
            except CommandLineError:
                self.result(Code.ERROR)
                line = None
            if line is not None:
                self._line_ended = self._now
                self._execute(line)
                return data[position + 1 :]
        return b""

    def _execute(self, text: str) -> None:
        if (unasked := next(self._unsolicited, None)) is not None:
            self.information(unasked)  # each once, as such a modem comes to it after it was switched on
        known = self.persona.answers.get(text.upper())
        if known is not None:
            for line in known.splitlines():
                self.information(line)
            self.result(Code.OK)
            return
        try:
            for command in parse(text):
                answer = commands.execute(self, command)
                if answer is commands.NEXT:
                    continue
                if isinstance(answer, Code):
                    self.result(answer)
                return
        except CommandLineError:  # what stands before it has been done (V.250 §5.6)
            self.result(Code.ERROR)
            return
        self.result(Code.OK)

    def information(self, line: str) -> None:
        """Send a line of information text (V.250 §5.7.1)."""
        end = self._line_end()
        self._send((end if self.settings.options["V"] else b"") + line.encode("ascii", "replace") + end)

    def result(self, code: Code) -> None:
        """Send a result code, as V and Q have it."""
        self._result_text(*results.reported(code, self.settings.options["X"]).value)

    def _result_text(self, text: str, number: int) -> None:
        if self.settings.options["Q"]:
            return
        if text == Code.NO_DIALTONE.value[0]:
            text = self.profile.dialect.no_dialtone
        if self.settings.options["V"]:
            self._send(self._line_end() + text.encode() + self._line_end())
        else:
            self._send(f"{number}".encode() + bytes([self.settings.registers[3]]))

    def _line_end(self) -> bytes:
        return bytes([self.settings.registers[3], self.settings.registers[4]])

    def _send(self, data: bytes) -> None:
        if not self.persona.mute:
            self._effects.append(ToDte(data))

    # --- calls -------------------------------------------------------------------------------------------

    def dial(self, program: Program) -> None:
        """Go off hook and work through a dial string."""
        self._program = list(program.steps)
        self._stay = program.stay
        self._ringback = False
        fresh = not self.off_hook
        if fresh:
            self.off_hook = True
            self._effects.append(self._off_hook(answer=False))
        self.state = ModemState.DIALLING
        if not fresh:
            self._next_step()
        elif self.settings.options["X"] in results.WAITS_FOR_DIALTONE:
            self._start("dialtone", max(5.0, self.settings.registers[6]))
        else:
            self._start("step", 0 if self.instant else self.settings.registers[6])

    def _off_hook(self, *, answer: bool) -> OffHook:
        carrier, automode = (*self.settings.extended.get("MS", "").split(","), "1")[:2]
        return OffHook(answer, carrier, automode != "0")

    def _next_step(self) -> None:
        registers = self.settings.registers
        if not self._program:
            self._dialled()
            return
        step = self._program.pop(0)
        if isinstance(step, Digits):
            self._effects.append(SendDigits(step.digits, step.pulse, registers[11] / 1000))
            self._start("step", 0 if self.instant else step.seconds(registers[11]))
        elif step is Step.PAUSE:
            self._start("step", registers[8])
        elif step is Step.FLASH:
            self._effects.append(Flash())
            self._start("step", FLASH_SECONDS)
        elif step is Step.WAIT_DIALTONE:
            self._start("dialtone", registers[7])
        else:
            self._effects.append(DialComplete())
            self._start("quiet", registers[7])

    def _dialled(self) -> None:
        self._effects.append(DialComplete())
        if self._stay:
            self.state = ModemState.COMMAND
            self.result(Code.OK)
            return
        self.state = ModemState.CALLING
        self._start("carrier", self.settings.registers[7])

    def _heard_dialtone(self) -> None:
        if self._timers.pop("dialtone", None) is not None:
            self._next_step()

    def _heard_quiet(self) -> None:
        if self._timers.pop("quiet", None) is not None:
            self._start("step", 0 if self.instant else QUIET_SECONDS)

    def _heard_ringback(self) -> None:
        self._ringback = True

    def _heard_answer(self) -> None:
        """Whoever answered may be no modem that this one understands, but he did answer."""
        self._ringback = False

    def _heard_busy(self) -> None:
        if Code.BUSY in results.REPORTS[self.settings.options["X"]]:
            self._give_up(Code.BUSY)

    def _released(self) -> None:
        self._give_up(Code.NO_CARRIER)

    def _no_dialtone(self) -> None:
        self._give_up(Code.NO_DIALTONE)

    def _no_quiet(self) -> None:
        self._give_up(Code.NO_ANSWER)

    def _no_carrier_in_time(self) -> None:
        """S7 ran out: a far end that only rang did not answer; otherwise what answered was no modem."""
        self._give_up(Code.NO_ANSWER if self._ringback else Code.NO_CARRIER)

    def answer(self) -> None:
        """Take the call that rings (ATA, or S0); without one the answer tone finds nobody within S7."""
        self._timers.pop("rings", None)
        self._ringback = False
        self.off_hook = True
        self._effects.append(self._off_hook(answer=True))
        self.state = ModemState.ANSWERING
        self._start("carrier", self.settings.registers[7])

    def _rings(self) -> None:
        registers = self.settings.registers
        registers[1] = min(255, registers[1] + 1)
        self.result(Code.RING)
        self._start("rings", RING_MEMORY)
        automatic = registers[0] and registers[1] >= registers[0]
        if automatic and (self.dtr or self.settings.options["&D"] == 0):
            self.answer()

    def _forget_rings(self) -> None:
        self.settings.registers[1] = 0

    def _carrier(self) -> None:
        """Carrier was heard; it counts when it has lasted S9."""
        self._timers.pop("carrier", None)
        self._start("train", 0 if self.instant else self.settings.registers[9] / 10)

    def _connected(self) -> None:
        self.settings.registers[1] = 0
        if self.settings.extended["DR"] == "1":
            self.information("+DR: NONE")
        self._report_connect()
        self._enter_data()

    def _report_connect(self) -> None:
        """CONNECT as X and this make word it."""
        text, number = results.connect(self.rate, self.settings.options["X"])
        if self.persona.connect and self.settings.options["X"]:
            text = self.persona.connect.format(rate=self.rate)
        self._result_text(text, number)

    def _enter_data(self) -> None:
        self.state = ModemState.DATA
        self._escape.restart(self._now)
        self._restart_inactivity()

    def go_online(self) -> bool:
        """ATO: back to data state; False where there is no call to go back to."""
        if self.state is not ModemState.ONLINE_COMMAND:
            return False
        self._report_connect()
        self._enter_data()
        if self._held:
            self._send(bytes(self._held))
            self._held.clear()
        return True

    def hang_up(self, *, lost: bool = False) -> None:
        """On hook, whatever the state; no result code. ``lost``: the terminal did not ask for it."""
        self._lost = lost and self.state in (ModemState.DATA, ModemState.ONLINE_COMMAND)
        for name in ("dialtone", "step", "quiet", "carrier", "train", "loss", "inactivity", "escape"):
            self._timers.pop(name, None)
        self.state = ModemState.COMMAND
        self._held.clear()
        if self.off_hook:
            self.off_hook = False
            self._effects.append(OnHook())

    def _give_up(self, code: Code) -> None:
        """End a call, or the attempt at one, and say how it ended."""
        self.result(code)
        self.hang_up(lost=True)

    # --- data --------------------------------------------------------------------------------------------

    def _data_from_dte(self, data: bytes) -> None:
        self._restart_inactivity()
        self._effects.append(ToLine(data))
        character, guard = self.settings.registers[2], self.settings.registers[12] / 50
        if self._escape.feed(data, self._now, character, guard):
            self._start("escape", guard)
        else:
            self._timers.pop("escape", None)

    def _escaped(self) -> None:
        if self.state is ModemState.DATA:
            self.state = ModemState.ONLINE_COMMAND
            self.result(Code.OK)

    def _restart_inactivity(self) -> None:
        limit = self.settings.registers[30] * 10
        if limit:
            self._start("inactivity", limit)

    def _inactive(self) -> None:
        self._give_up(Code.NO_CARRIER)

    def _carrier_gone(self) -> None:
        """The carrier may come back within S10; 255 waits for ever."""
        patience = self.settings.registers[10]
        if patience < 255:
            self._start("loss", patience / 10)

    def _carrier_back(self) -> None:
        self._timers.pop("loss", None)

    def _carrier_lost(self) -> None:
        self._give_up(Code.NO_CARRIER)

    def _call_went_away(self) -> None:
        """The far end hung up before the carrier had lasted."""
        self._give_up(Code.NO_CARRIER)

    def _dtr_dropped(self) -> None:
        """&D says what DTR off means (V.250 §6.2.9 and Hayes): nothing, command state, on hook, reset."""
        self.dtr = False
        action = self.settings.options["&D"]
        self._line.clear()
        if action == 1 and self.state is ModemState.DATA:
            self._escaped()
        elif action >= 2:
            self.hang_up()
        if action == 3:
            self.settings = self.stored.copy()

    def _start(self, name: str, seconds: float) -> None:
        self._timers[name] = self._now + (seconds if math.isfinite(seconds) else 1e9)

    def _drain(self) -> list[Effect]:
        """What has come of it. DCD follows last: what comes behind its fall is for whoever opens the port next."""
        on = not self.settings.options["&C"] or self.state in (ModemState.DATA, ModemState.ONLINE_COMMAND)
        if on != self._carrier_shown:
            self._carrier_shown = on
            self._effects.append(Carrier(on, self._lost))
            self._lost = False
        effects, self._effects = self._effects, []
        return effects


_TIMERS: dict[str, Callable[[Engine], None]] = {
    "dialtone": Engine._no_dialtone,
    "step": Engine._next_step,
    "quiet": Engine._no_quiet,
    "carrier": Engine._no_carrier_in_time,
    "train": Engine._connected,
    "loss": Engine._carrier_lost,
    "rings": Engine._forget_rings,
    "inactivity": Engine._inactive,
    "escape": Engine._escaped,
    "dtr": Engine._dtr_dropped,
}

_ON_LINE: dict[tuple[ModemState, Line], Callable[[Engine], None]] = {
    (ModemState.COMMAND, Line.RING): Engine._rings,
    (ModemState.DIALLING, Line.DIALTONE): Engine._heard_dialtone,
    (ModemState.DIALLING, Line.QUIET): Engine._heard_quiet,
    (ModemState.DIALLING, Line.RINGBACK): Engine._heard_ringback,
    (ModemState.DIALLING, Line.BUSY): Engine._heard_busy,
    (ModemState.DIALLING, Line.RELEASED): Engine._released,
    (ModemState.CALLING, Line.RINGBACK): Engine._heard_ringback,
    (ModemState.CALLING, Line.ANSWERED): Engine._heard_answer,
    (ModemState.CALLING, Line.BUSY): Engine._heard_busy,
    (ModemState.CALLING, Line.RELEASED): Engine._released,
    (ModemState.CALLING, Line.CARRIER): Engine._carrier,
    (ModemState.CALLING, Line.CARRIER_LOST): Engine._call_went_away,
    (ModemState.ANSWERING, Line.CARRIER): Engine._carrier,
    (ModemState.ANSWERING, Line.CARRIER_LOST): Engine._call_went_away,
    (ModemState.ANSWERING, Line.RELEASED): Engine._released,
    (ModemState.DATA, Line.CARRIER_LOST): Engine._carrier_gone,
    (ModemState.DATA, Line.CARRIER): Engine._carrier_back,
    (ModemState.DATA, Line.RELEASED): Engine._carrier_gone,
    (ModemState.ONLINE_COMMAND, Line.CARRIER_LOST): Engine._carrier_gone,
    (ModemState.ONLINE_COMMAND, Line.CARRIER): Engine._carrier_back,
    (ModemState.ONLINE_COMMAND, Line.RELEASED): Engine._carrier_gone,
}
