"""The exchange's process: the directory of a bench, a soft modem on each line, and its control socket."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rig.config import profiles
from rig.drivers.faults.rule import Rule
from rig.drivers.faults.switchboard import Switchboard
from rig.drivers.modem.profile import Profile
from rig.drivers.ppp.line_record import RecordWriter
from rig.parts.exchange.analogue.plan import AnaloguePlan, check_installed
from rig.parts.exchange.exchange import Exchange, Subscriber, Timing
from rig.parts.exchange.hayes.faults import Fault
from rig.parts.exchange.hayes.loudspeaker import loudness
from rig.parts.exchange.pty_terminal import PtyTerminal, Watcher
from rig.parts.exchange.soft_modem import SoftModem
from rig.parts.exchange.taps import Taps
from rig.parts.exchange.usb_modem import UsbModem
from rig.parts.exchange.wired import WiredLines
from rig.run.control import Handler, serve

if TYPE_CHECKING:
    from rig.parts.exchange.analogue.lines import AnalogueLines


@dataclass(frozen=True)
class Entry:
    """A number of the directory. ``kind`` as in exchange.Listing; ``lines``: how many modems hunt there."""

    number: str
    kind: str
    lines: int = 1
    drop_after: int | None = None

    def line_names(self) -> list[str]:
        """Names of its lines, which are also the names of their ports in the run's folder."""
        digits = "".join(character for character in self.number if character.isdigit())[-4:]
        return [f"{digits}-{index}" for index in range(1, self.lines + 1)] if self.kind == "modem" else []


@dataclass(frozen=True)
class Plan:
    """What the exchange is to be: timing, directory, and the folder where ports and control socket stand; ``faults`` of
    the calls on the lines that are named ``faulty``; ``analogue``: its lines carry sound."""

    timing: Timing
    entries: tuple[Entry, ...]
    folder: Path
    faults: tuple[Rule, ...] = ()
    faulty: tuple[str, ...] = ()
    analogue: AnaloguePlan | None = None

    @property
    def control_path(self) -> Path:
        return control_path(self.folder)

    def port(self, line: str) -> Path:
        return self.folder / f"tty-{line}"


def control_path(folder: Path) -> Path:
    """Where the exchange of a run is asked, in its folder."""
    return folder / "exchange.sock"


class Switch:
    """The exchange as its control socket shows it. Lines are named, calls found by a line that is in them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._taps = Taps()
        self.lines = _lines(plan, self._taps)
        self.exchange = Exchange(plan.timing, self.lines.join, self.lines.clock)
        self.modems: dict[str, SoftModem] = {}
        self.usb: dict[str, UsbModem[SoftModem]] = {}
        self._faults = Switchboard(plan.faults)
        if plan.faults:
            self._taps.faults.update(dict.fromkeys(plan.faulty, self._faults))
        self._watcher = Watcher()
        self._records: dict[str, BinaryIO] = {}
        for entry in plan.entries:
            listing = self.exchange.list_number(entry.number, entry.kind, entry.drop_after)
            for name in entry.line_names():
                self._put_on_pty(name, self._modem(self.exchange.subscribe(name, listing)))

    def handlers(self) -> dict[str, Handler]:
        return {
            "install": self.install,
            "lead_outside": self.lead_outside,
            "listen": self.listen,
            "remove": self.remove,
            "plug": self.plug,
            "written": self.written,
            "misbehave": self.misbehave,
            "answer_late": self.answer_late,
            "dead_line": self.dead_line,
            "record": self.record,
            "calls": self.calls,
            "happened": self._faults.happened,
            "call_by_voice": self.exchange.call_by_voice,
            **self.lines.handlers(self.exchange.subscribers.__getitem__),
        }

    def install(self, name: str, number: str, make: str = "", bus: str = "pty") -> str:
        """A new line with a modem on it, of the make that a profile describes.

        The path of its port; on ``bus`` "usb" where it is plugged in, as its ports' system paths contain it.
        """
        if name in self.modems:
            raise ValueError(f"there is a line {name} already")
        listing = self.exchange.list_number(number, "modem")
        modem = self._modem(self.exchange.subscribe(name, listing), profiles.named(make) if make else None)
        if bus == "pty":
            self._put_on_pty(name, modem)
            return str(self.plan.port(name))
        made = self.usb[name] = UsbModem(
            f"{self.plan.folder.name}-{name}", modem.engine.profile, modem, lambda: self._spare(modem)
        )
        self.modems[name] = modem
        return made.device.port_path

    def lead_outside(self, name: str, number: str) -> None:
        """A new line, to the sound card of the plan: somebody else's modem is at its other end."""
        self.lines.lead_outside(
            self.exchange, self.exchange.subscribe(name, self.exchange.list_number(number, "modem"))
        )

    def listen(self, line: str, device: str) -> None:
        """Let what passes on a line be heard as by its modem's loudspeaker, through the sound card ``device``."""
        engine = self.modems[line].engine
        self.lines.listen(line, device, lambda: loudness(engine.state, engine.settings.options))

    def _modem(self, line: Subscriber, profile: Profile | None = None) -> SoftModem:
        loop = self.lines.loop(self.exchange, line)
        instant = self.plan.timing.rate is None and self.plan.analogue is None
        return SoftModem(loop, profile, instant=instant, clock=self.lines.clock)

    def _put_on_pty(self, name: str, modem: SoftModem) -> None:
        self.modems[name] = modem
        modem.terminal = PtyTerminal(modem, self.plan.port(name), self._watcher)

    def _spare(self, modem: SoftModem) -> SoftModem:
        """A second one of the same make, on a line that nobody can call."""
        return self._modem(Subscriber("", f"{modem.loop.name}-at"), modem.engine.profile)

    def plug(self, line: str, plugged: bool) -> None:
        """Pull out a USB modem's plug, or put it in again."""
        (self.usb[line].device.plug_in if plugged else self.usb[line].device.unplug)()

    def written(self, line: str) -> dict[int, int]:
        """How many bytes were written to each interface of a USB modem that is no modem."""
        return self.usb[line].written()

    def misbehave(self, line: str, fault: str) -> None:
        """Have a modem answer its commands wrongly (see hayes.faults); "" for rightly again."""
        self.modems[line].engine.misbehaviour.fault = Fault(fault) if fault else None

    def answer_late(self, line: str, seconds: float) -> None:
        """Have a modem take so long over each command."""
        self.modems[line].answer_delay = seconds

    def remove(self, name: str) -> None:
        """Unplug a line's modem."""
        modem = self.modems.pop(name)
        (self.usb.pop(name, None) or modem).close()
        self.exchange.unsubscribe(name)
        self.lines.forget(name)

    def record(self, line: str, file: str) -> None:
        """Record what the calls on a line carry from now on, as rig.drivers.ppp.line_record has it; "" for no longer.

        ``file`` is made, and its owner alone may read it.
        """
        if (open_file := self._records.pop(line, None)) is not None:
            del self._taps.recorders[line]
            open_file.close()
        if file:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._records[line] = os.fdopen(handle, "wb")
            writer = RecordWriter(self._records[line], time.time())
            self._taps.recorders[line] = lambda sent, data: writer.write(sent, data, time.time())

    def close(self) -> None:
        """Every modem unplugged, every line let go, nothing recorded any more."""
        for name in list(self.modems):
            self.remove(name)
        for name in list(self.exchange.subscribers):
            self.lines.forget(name)
        for line in list(self._records):
            self.record(line, "")

    def dead_line(self, line: str, dead: bool) -> None:
        """Cut the wires to a telephone: no dial tone."""
        (self.exchange.dead_lines.add if dead else self.exchange.dead_lines.discard)(line)

    def calls(self) -> list[dict[str, Any]]:
        """Every call under way."""
        return [
            {
                "caller": call.caller.name,
                "callee": call.callee.name if call.callee else None,
                "number": call.listing.number,
                "connected": call.circuit is not None and call.circuit.connected,
                "bytes": [
                    call.circuit.carried(end) if call.circuit and end else 0 for end in (call.caller, call.callee)
                ],
            }
            for call in self.exchange.calls
        ]


def _lines(plan: Plan, taps: Taps) -> WiredLines | AnalogueLines:
    if plan.analogue is None:
        return WiredLines(taps)
    check_installed(card=plan.analogue.card is not None)
    from rig.parts.exchange.analogue.lines import AnalogueLines

    return AnalogueLines(plan.analogue, taps)


def main(plan: Plan, *, ready: Callable[[], None]) -> None:
    """Run the exchange until SIGTERM."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        switch = Switch(plan)
        async with await serve(plan.control_path, switch.handlers()), switch.lines.running():
            ready()
            await stop.wait()
        switch.close()

    asyncio.run(run())
