"""A line that leads to a sound card, and a modem at its other end that is none of the exchange's."""

from __future__ import annotations

import asyncio
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.drivers.sound.dtmf import DtmfReceiver, DtmfSender
from rig.drivers.sound.impairments import Impairments
from rig.drivers.sound.samples import BLOCK, Sound, coded, gain, silence
from rig.parts.exchange.analogue import tones
from rig.parts.exchange.analogue.lines import AnalogueLines
from rig.parts.exchange.analogue.listening import Listening
from rig.parts.exchange.analogue.plan import AnaloguePlan, CardPlan
from rig.parts.exchange.analogue.sound_loop import SoundLoop
from rig.parts.exchange.hayes.loudspeaker import loudness
from rig.parts.exchange.soft_modem import SoftModem
from rig.parts.exchange.switch import Plan, Switch
from tests.unit.sound_town import NUMBERS, TIMING, Desk, SoundTown, town

LATE = 6
"""Blocks that a card and its driver keep what passes: 120 ms each way."""
ECHO = gain(-14)


class Wire:
    """A sound card with a telephone cable in it, at whose other end a modem is. See outside.Card.

    The cable is of two wires: what is played comes back, 14 dB below.
    """

    def __init__(self, loop: SoundLoop) -> None:
        self.closed = False
        self.played: list[Sound] = []
        self._loop = loop
        self._there = deque([silence()] * LATE)
        self._back = deque([silence()] * LATE)

    async def due(self) -> None:
        await asyncio.sleep(0)

    def read(self) -> Sound:
        comes = self._there.popleft()
        _, sound = self._loop.speak()
        self._loop.hear(comes + ECHO * sound)
        self._back.append(sound + ECHO * comes)
        return self._back.popleft()

    def write(self, sound: Sound) -> None:
        self.played.append(sound)
        self._there.append(sound.astype(np.float32))

    def close(self) -> None:
        self.closed = True


class Outside:
    """``town``, with one line that leads outside; ``desk`` at the modem there, ``wire`` between."""

    def __init__(self, made: SoundTown) -> None:
        self.town = made
        exchange, lines = made.switch.exchange, made.lines
        loop = SoundLoop("outside", 2400, lines.clock.wake)
        self.wire = Wire(loop)
        self.line = exchange.subscribe("near-end", exchange.list_number("555-0177", "modem"))
        lines.lead_outside(exchange, self.line, self.wire)
        self.desk = Desk(SoftModem(loop, clock=lines.clock), lines.clock.time)


def outside(scenario: Callable[[Outside], Coroutine[Any, Any, None]], folder: Path, **impairments: Any) -> None:
    """Run it."""

    async def run() -> None:
        async with _made(folder, Impairments(**impairments)) as made:
            await scenario(made)

    asyncio.run(run())


@asynccontextmanager
async def _made(folder: Path, impairments: Impairments) -> AsyncIterator[Outside]:
    plan = AnaloguePlan(2400, hurry=True, impairments=impairments, card=CardPlan("", (0.0, 0.0)))
    switch = Switch(Plan(TIMING, NUMBERS, folder, analogue=plan))
    assert isinstance(switch.lines, AnalogueLines)
    async with switch.lines.running():
        made = Outside(SoundTown(switch, switch.lines))
        try:
            yield made
        finally:
            made.desk.modem.close()
            switch.close()
    assert made.wire.closed


def test_it_hears_dial_tone_dials_trains_and_speaks(tmp_path: Path) -> None:
    async def scenario(made: Outside) -> None:
        assert await made.desk.call("5550100") == "CONNECT 2400"
        await made.town.far.until(b"CONNECT", seconds=5)
        await made.town.wait(0.5)
        made.town.far.said = made.desk.said = b""
        made.desk.modem.from_dte(b"from outside")
        made.town.far.modem.from_dte(b"from inside")
        await made.town.wait(1.5)
        assert (made.town.far.said, made.desk.said) == (b"from outside", b"from inside")

    outside(scenario, tmp_path, attenuation=10.0, noise=-60.0)


@pytest.mark.parametrize(
    ("number", "result"),
    [("5550101", "BUSY"), ("5550102", "NO ANSWER"), ("5550103", "NO ANSWER"), ("5559999", "NO ANSWER")],
)
def test_numbers_that_do_not_connect_and_then_one_that_does(tmp_path: Path, number: str, result: str) -> None:
    """Nobody sees that it hung up; a minute later it is taken to have."""

    async def scenario(made: Outside) -> None:
        made.desk.command("ATS7=15")
        assert await made.desk.call(number) == result
        await made.town.wait(50)
        assert made.town.switch.calls() == []
        assert await made.desk.call("5550100") == "CONNECT 2400"

    outside(scenario, tmp_path)


def test_who_dials_again_has_hung_up_before(tmp_path: Path) -> None:
    """By a modem that does not wait for dial tone, since ringing goes on."""

    async def scenario(made: Outside) -> None:
        made.desk.command("ATX1S7=10")
        await made.desk.call("5550102")
        made.desk.command("ATS7=40")
        assert (await made.desk.call("5550100")).startswith("CONNECT")

    outside(scenario, tmp_path)


def test_digits_are_heard_through_a_dial_tone_that_is_as_loud() -> None:
    receiver, sender = DtmfReceiver(through_dial_tone=True), DtmfSender()
    player = tones.Player()
    player.play(tones.DIAL_TONE)
    sender.put("5550100")
    heard = "".join(receiver.receive(coded(sender.transmit(BLOCK) + player.next(BLOCK))) for _ in range(80))
    assert heard == "5550100"


def test_more_digits_than_a_number_has_are_not_another_call(tmp_path: Path) -> None:
    async def scenario(made: Outside) -> None:
        assert await made.desk.call("55501005555") == "CONNECT 2400"

    outside(scenario, tmp_path)


def test_after_a_call_there_is_dial_tone_again(tmp_path: Path) -> None:
    async def scenario(made: Outside) -> None:
        for _ in range(2):
            assert await made.desk.call("5550100") == "CONNECT 2400"
            made.desk.modem.set_dtr(False)
            await made.town.far.until(b"NO CARRIER")
            await made.town.wait(1)
            assert made.town.switch.calls() == []
            made.desk.modem.set_dtr(True)
            made.desk.said = b""

    outside(scenario, tmp_path)


def test_who_is_called_there_has_to_be_told_to_answer(tmp_path: Path) -> None:
    async def scenario(made: Outside) -> None:
        made.town.near.modem.from_dte(b"ATDT5550177\r")
        await made.town.wait(8)
        assert made.town.switch.calls()[0]["connected"] is False
        made.desk.modem.from_dte(b"ATA\r")
        await made.town.near.until(b"CONNECT 2400")
        await made.desk.until(b"CONNECT 2400", seconds=5)

    outside(scenario, tmp_path)


def test_what_only_its_own_modem_knows_is_not_asked_of_it(tmp_path: Path) -> None:
    async def scenario(made: Outside) -> None:
        await made.desk.call("5550100")
        for what in ("signal", "retrain"):
            with pytest.raises(ValueError, match="line near-end leads outside"):
                made.town.ask(what, line="near-end")
        made.town.ask("interrupt", line="near-end", milliseconds=3000)
        await made.desk.until(b"NO CARRIER")

    outside(scenario, tmp_path)


def test_its_sound_is_recorded_with_the_phases_of_the_other_end(tmp_path: Path) -> None:
    file = tmp_path / "call.wav"

    async def scenario(made: Outside) -> None:
        made.town.ask("sound", line="near-end", file=str(file))
        await made.desk.call("5550100")
        await made.town.wait(2)
        made.town.ask("sound", line="near-end", file="")

    outside(scenario, tmp_path)
    with wave.open(str(file)) as recorded:
        assert recorded.getnframes() > 8 * 8000
    course = file.with_suffix(".json").read_text()
    assert '"training"' in course
    assert '"data"' in course


# --- a loudspeaker ---------------------------------------------------------------------------------------------------


class Ear:
    """Who hears a loudspeaker. See listening.Speaker."""

    def __init__(self) -> None:
        self.blocks = 0
        self.closed = False

    def play(self, sound: Sound) -> None:
        self.blocks += 1

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("command", "before", "after"), [("ATM0", False, False), ("ATM1", True, False), ("ATM2", True, True)]
)
def test_a_modem_is_heard_as_m_has_it(tmp_path: Path, command: str, before: bool, after: bool) -> None:
    async def run() -> None:
        async with town(tmp_path) as made:
            ear, engine = Ear(), made.near.modem.engine
            line = made.lines.line("near")
            line.listen(Listening(ear, lambda: loudness(engine.state, engine.settings.options)))
            made.near.command(command)
            await made.connected()
            heard = ear.blocks
            assert (heard > 200) is before
            await made.wait(1)
            assert (ear.blocks >= heard + 50) is after
            line.listen(None)
            assert ear.closed

    asyncio.run(run())
