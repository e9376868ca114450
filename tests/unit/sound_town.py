"""An exchange whose lines carry sound, two modems on it and no process: calls at the machine's own speed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rig.drivers.sound.impairments import Impairments
from rig.parts.exchange.analogue.lines import AnalogueLines
from rig.parts.exchange.analogue.plan import AnaloguePlan
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.soft_modem import SoftModem
from rig.parts.exchange.switch import Entry, Plan, Switch

TIMING = Timing(rate=None, setup=0.5, ring_every=3.0, training=0, patience=3.0)
NUMBERS = (
    Entry("555-0100", "modem"), Entry("555-0101", "busy"), Entry("555-0102", "no-answer"), Entry("555-0103", "voice"),
)  # fmt: skip


class Desk:
    """A terminal, and somebody who reads it. See terminal.Terminal."""

    pending = 0

    def __init__(self, modem: SoftModem, clock: Callable[[], float]) -> None:
        self.modem = modem
        self.said = b""
        self.dcd: list[tuple[float, bool]] = []
        self._clock = clock
        modem.terminal = self
        modem.set_dtr(True)

    def write(self, data: bytes) -> None:
        self.said += data

    def carrier(self, on: bool, *, lost: bool) -> None:
        self.dcd.append((self._clock(), on))

    def ring(self) -> None:
        pass

    def sample(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def until(self, *words: bytes, seconds: float = 90.0) -> bytes:
        """What it said until one of them, in the line's time; all of it is taken away. Raises AssertionError when that
        does not come."""
        end = self._clock() + seconds
        while not any(word in self.said for word in words):
            assert self._clock() < end, f"no {words} within {seconds:g} s, but {self.said!r}"
            await asyncio.sleep(0)
        said, self.said = self.said, b""
        return said

    async def call(self, number: str, dial: str = "ATDT") -> str:
        """Dial; the result code."""
        self.modem.from_dte(f"{dial}{number}\r".encode())
        said = await self.until(b"CONNECT", b"NO ", b"BUSY", b"ERROR")
        return said.decode("latin-1").strip().splitlines()[-1]

    def command(self, line: str) -> None:
        self.modem.from_dte(line.encode() + b"\r")
        assert self.said.endswith(b"OK\r\n"), self.said
        self.said = b""


class SoundTown:
    """``near`` calls, ``far`` answers 555-0100 after one ring; ``lines`` and ``switch`` as they are."""

    def __init__(self, switch: Switch, lines: AnalogueLines) -> None:
        self.switch = switch
        self.lines = lines
        switch.install("near", "555-0199")
        self.near, self.far = (self._desk(name) for name in ("near", "0100-1"))
        self.far.command("ATS0=1")

    def _desk(self, name: str) -> Desk:
        modem = self.switch.modems[name]
        assert modem.terminal is not None
        modem.terminal.close()
        return Desk(modem, self.lines.clock.time)

    def ask(self, what: str, **asked: object) -> object:
        """As over the exchange's control socket."""
        return self.switch.handlers()[what](**asked)

    async def connected(self) -> int:
        """A call, until both have CONNECT: the near end's rate in bit/s."""
        result = await self.near.call("5550100")
        assert result.startswith("CONNECT"), result
        await self.far.until(b"CONNECT", seconds=5)
        await self.wait(0.5)
        self.near.said = self.far.said = b""
        return int(result.removeprefix("CONNECT") or 300)

    async def wait(self, seconds: float) -> None:
        """In the line's time."""
        end = self.lines.clock.time() + seconds
        while self.lines.clock.time() < end:
            await asyncio.sleep(0)

    async def passes(self, data: bytes, seconds: float) -> tuple[bytes, bytes]:
        """Both send it; what comes to the near end and to the far end within the time."""
        for desk in (self.near, self.far):
            desk.modem.from_dte(data)
        await self.wait(seconds)
        return self.near.said, self.far.said


@contextlib.asynccontextmanager
async def town(
    folder: Path, fastest: int = 2400, impairments: Impairments | None = None, *, hurry: bool = True
) -> AsyncIterator[SoundTown]:
    """It, in ``folder``."""
    analogue = AnaloguePlan(fastest, hurry=hurry, impairments=impairments or Impairments(attenuation=10.0))
    switch = Switch(Plan(TIMING, NUMBERS, folder, analogue=analogue))
    lines = switch.lines
    assert isinstance(lines, AnalogueLines)
    async with lines.running():
        made = SoundTown(switch, lines)
        try:
            yield made
        finally:
            for name in list(switch.modems):
                switch.remove(name)
