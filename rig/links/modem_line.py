"""A serial port as a link: the modem on it, or the null modem."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from rig.config import profiles
from rig.config.bench import ModemTable
from rig.drivers.base import syscalls
from rig.drivers.base.errors import CallError, CarrierLostError, ModemSilentError, NoModemError, PortLostError, RigError
from rig.drivers.modem import at, call
from rig.drivers.modem.bring_up import bring_up, opened
from rig.drivers.modem.call import Connection
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.modem.result_codes import Result
from rig.drivers.ppp.ppp_log import MapAgreed
from rig.drivers.ppp.pppd import Pppd
from rig.drivers.serial.serial_line import SerialLine
from rig.run.progress import Progress

RING_GAP = 8.0
"""Seconds without another RING after which the caller has given up: the longest cadence is 6 s (V.250 §6.3.8)."""
CALLER_NUMBER = re.compile(r"NMBR\s*=\s*(\S+)")
"""How a modem words the caller's number between the first two rings (V.253, +VCID)."""


@dataclass(frozen=True)
class PickUp:
    """How a modem takes calls: after so many rings, by ATA or by itself (S0)."""

    rings: int = 1
    by_itself: bool = False


class SerialPort:
    """A port that is open for a link, or not. ``table``: the bench's words for it."""

    def __init__(self, port: str, table: ModemTable, progress: Progress) -> None:
        self.port = port
        self.table = table
        self.speed = 0
        self.line: SerialLine | None = None
        self._progress = progress

    def open(self, known: Profile | None) -> SerialLine:
        self.line = opened(self.port, known, self.table.speed)
        self.speed = self.line.speed
        for lack in self.line.lacking:
            self._progress.note(f"{self.port}: {lack}")
        return self.line

    def tell_cts(self, lacks: bool) -> None:
        """Say that RTS and CTS are not used, where they should be."""
        if lacks:
            self._progress.note(f"{self.port}: CTS is off; a cable of three wires? RTS and CTS are not used")

    def terminal(self) -> int:
        if self.line is None:
            raise NoModemError(f"{self.port}: the port is not open")
        return self.line.fileno()

    def failure(self) -> RigError | None:
        """A port that is there no more explains more than pppd can."""
        if self.line is None or self.line.present:
            return None
        return CarrierLostError(
            f"{self.port} went away: the modem was unplugged, or lost its power",
            "plug it in again; rig detect --watch   shows it come and go",
        )

    def hang_up(self) -> None:
        """DTR falls as the port closes, which every modem takes as hang-up (&D2)."""
        if self.line is not None:
            with contextlib.suppress(PortLostError):
                self.line.hang_up()
            self.line.close()
            self.line = None


class ModemLine:
    """The line of a modem. ``pick_up``: how it takes calls, where it does."""

    l2tp = False
    lasts = True
    words: tuple[str, ...] = ()

    def __init__(self, port: str, table: ModemTable, progress: Progress, pick_up: PickUp | None = None) -> None:
        self.port = port
        self.rate = 0
        self.identity = Identity()
        self.profile: Profile | None = None
        self.caller = ""
        self.serial = SerialPort(port, table, progress)
        self._pick_up = pick_up
        self._progress = progress
        self._modem: Modem | None = None

    @property
    def modem(self) -> Modem:
        """Raises NoModemError while the port is not open."""
        if self._modem is None:
            raise NoModemError(f"{self.port}: the modem is not open")
        return self._modem

    def open(self) -> None:
        """Take the port, bring the modem to a known state, ask it who it is."""
        self.caller = ""
        with self._progress.step(f"modem on {self.port}"):
            named = profiles.named(self.serial.table.profile) if self.serial.table.profile else None
            self._modem = Modem(self.serial.open(named), self._notice, self._progress.trace.said)
            ready = bring_up(self._modem, named, self._settings, profiles.recognise)
            self.identity, self.profile = ready.identity, ready.profile
            self.serial.tell_cts(ready.cts_lacks)

    def _settings(self, known: Profile | None) -> tuple[str, ...]:
        """What the modem is told beyond what its make needs."""
        table, pick_up = self.serial.table, self._pick_up
        lines = call.settings(table.carrier_wait, table.init)
        if pick_up is None:
            return lines
        caller_id = (known.dialect.caller_id,) if known is not None and known.dialect.caller_id else ()
        return (*lines, *caller_id, *((f"ATS0={pick_up.rings}",) if pick_up.by_itself else ()))

    def terminal(self) -> int:
        return self.serial.terminal()

    @property
    def _seconds(self) -> float:
        """How long a call may take to its carrier, and the modem to say so."""
        return self.serial.table.carrier_wait + 30.0

    def dial(self, number: Number) -> Connection:
        """Call a number; see Modem.dial for what it raises."""
        self._progress.begin(f"dialling {number}")
        return self._connected(lambda: self.modem.dial(number, self._seconds))

    def _connected(self, connect: Callable[[], Connection]) -> Connection:
        try:
            connection = connect()
        except CallError as error:
            self._progress.end(error.result)
            raise
        self._progress.end(connection.text)
        self.rate = connection.rate
        return connection

    def wait_for_call(self, seconds: float) -> bool:
        """Wait until it has rung as often as was asked for."""
        end = time.monotonic() + seconds
        assert self._pick_up is not None
        while True:
            try:
                self.modem.wait_for_ring(timeout=end - time.monotonic())
            except ModemSilentError:
                return False
            try:
                self.modem.wait_for_ring(self._pick_up.rings - 1, timeout=RING_GAP)
            except ModemSilentError:
                self._progress.note("the caller gave up while it rang")
                continue
            return True

    def answer(self) -> Connection:
        """Raises as Modem.answer does."""
        assert self._pick_up is not None
        self._progress.begin(f"answering{f' {self.caller}' if self.caller else ''}")
        by_itself = self._pick_up.by_itself
        return self._connected(lambda: (self.modem.wait_answered if by_itself else self.modem.answer)(self._seconds))

    def wake(self) -> None:
        line = self.serial.line  # none between two calls, and gone by the time that this is done
        if line is not None:
            with contextlib.suppress(OSError, TypeError):
                syscalls.hang_up_terminal(line.fileno())

    def release(self, pppd: Pppd) -> None:
        pppd.release()

    def agreed(self, event: MapAgreed) -> None:
        """The kernel's PPP, which is at this end, knows."""

    def failure(self) -> RigError | None:
        return self.serial.failure()

    def hang_up(self) -> None:
        self.serial.hang_up()
        self._modem = None

    def _notice(self, event: at.Event) -> None:
        if isinstance(event, Result):
            (self._progress.detail if event.final else self._progress.note)(event.text)
        elif isinstance(event, at.Text):
            if found := CALLER_NUMBER.match(event.line):
                self.caller = found[1]
            self._progress.detail(event.line)


class NullModem:
    """A cable: the far end is there, nobody is dialled."""

    l2tp = False
    lasts = True
    words: tuple[str, ...] = ()

    def __init__(self, port: str, table: ModemTable, progress: Progress, profile: Profile) -> None:
        self.port = port
        self.rate = 0
        self.identity = Identity()
        self.profile: Profile | None = profile
        self.serial = SerialPort(port, table, progress)
        self._progress = progress
        self._profile_port = profile.port

    def open(self) -> None:
        with self._progress.step(f"modem on {self.port}"):
            line, wanted = self.serial.open(self.profile), self._profile_port.flow_control
            self.serial.tell_cts(line.set_flow_control(wanted) != wanted)

    def terminal(self) -> int:
        return self.serial.terminal()

    def dial(self, number: Number) -> Connection:
        self._progress.note(f"null modem: {number} is not dialled, the far end is there")
        return Connection("NULL MODEM", self.serial.speed)

    def release(self, pppd: Pppd) -> None:
        pppd.release()

    def agreed(self, event: MapAgreed) -> None:
        """The kernel's PPP, which is at this end, knows."""

    def failure(self) -> RigError | None:
        return self.serial.failure()

    def hang_up(self) -> None:
        self.serial.hang_up()
