"""Calls between modems that hear each other: what is heard decides, whatever the exchange knows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from rig.drivers.sound.impairments import Echo, Hits, Impairments, Jitter
from rig.drivers.sound.modulations import V22B
from rig.drivers.sound.samples import RATE, level
from rig.parts.exchange.analogue.data_pump import RETRAIN_SECONDS, DataPump
from rig.parts.exchange.hayes.events import Line
from tests.unit.sound_town import SoundTown, town

DATA = bytes(range(256))
GAIN_HIT_BORNE = 2.0
"""In dB: none of 300 lines like that cost a character; of 3 dB ten of 40 did."""


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Have a story happen in a town, of the given speed and impairments."""

    def play(story: Callable[[SoundTown], Awaitable[None]], *made: object) -> None:
        async def whole() -> None:
            async with town(tmp_path, *made) as there:  # type: ignore[arg-type]
                await story(there)

        asyncio.run(whole())

    return play


@pytest.mark.parametrize(
    ("fastest", "init", "rate"),
    [
        (2400, "", 2400), (1200, "", 1200), (300, "", 300), (2400, "AT+MS=V22B,0", 2400), (2400, "AT+MS=V22", 1200),
        (2400, "AT+MS=V22,0", 1200), (2400, "AT+MS=V21", 300), (2400, "AT+MS=V21,0", 300),
    ],
)  # fmt: skip
def test_connect_has_the_rate_that_both_modems_have(
    play: Callable[..., None], fastest: int, init: str, rate: int
) -> None:
    async def story(there: SoundTown) -> None:
        if init:
            there.near.command(init)
        assert await there.connected() == rate
        assert await there.passes(DATA, 256 * 10 / rate + 1) == (DATA, DATA)

    play(story, fastest)


def test_modems_that_have_nothing_in_common_end_without_a_carrier(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.near.command("AT+MS=V21,0;S7=25")
        there.far.command("AT+MS=V22B,0")
        assert await there.near.call("5550100") == "NO CARRIER"

    play(story)


@pytest.mark.parametrize(
    ("number", "level", "result"),
    [
        ("5550101", 4, "BUSY"), ("5550101", 3, "BUSY"), ("5550101", 2, "NO CARRIER"), ("5550102", 4, "NO ANSWER"),
        ("5550102", 0, "NO CARRIER"), ("5550103", 4, "NO CARRIER"), ("5559999", 4, "NO CARRIER"),
    ],
)  # fmt: skip
def test_call_progress_is_what_is_heard_as_far_as_x_reports_it(
    play: Callable[..., None], number: str, level: int, result: str
) -> None:
    async def story(there: SoundTown) -> None:
        there.near.command(f"ATX{level}S7=20")
        assert await there.near.call(number) == result

    play(story)


@pytest.mark.parametrize(("level", "result"), [(4, "NO DIALTONE"), (2, "NO DIALTONE"), (3, "NO CARRIER")])
def test_a_dead_line_has_no_dial_tone_which_only_who_waits_for_it_notices(
    play: Callable[..., None], level: int, result: str
) -> None:
    async def story(there: SoundTown) -> None:
        there.ask("dead_line", line="near", dead=True)
        there.near.command(f"ATX{level}S7=5")
        assert await there.near.call("5550100") == result

    play(story)


def test_digits_are_pulses_that_break_the_loop(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        assert await there.near.call("5550100", "ATDP") == "CONNECT 2400"

    play(story)


def test_a_number_that_nobody_has_is_complete_when_no_digit_follows(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.near.modem.from_dte(b"ATDT77\r")
        await there.wait(5)
        assert there.ask("calls") == []
        await there.wait(3)
        assert [call["number"] for call in there.ask("calls")] == ["77"]  # type: ignore[attr-defined]

    play(story)


def test_dtr_hangs_up_and_the_far_end_loses_the_carrier_within_s10(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.near.modem.set_dtr(False)
        began = there.lines.clock.time()
        await there.far.until(b"NO CARRIER", seconds=5)
        assert 1.4 <= there.lines.clock.time() - began < 2.0
        await there.wait(1)
        assert there.ask("calls") == []

    play(story)


def test_a_cut_is_trained_over_and_dcd_stays(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("interrupt", line="near", milliseconds=300)
        await there.wait(4)
        assert [on for _, on in there.near.dcd] == [True]
        there.near.said = there.far.said = b""
        assert await there.passes(DATA, 2) == (DATA, DATA)

    play(story)


def test_a_cut_longer_than_s10_ends_the_call(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("interrupt", line="near", milliseconds=3000)
        await there.near.until(b"NO CARRIER", seconds=3)
        await there.far.until(b"NO CARRIER", seconds=3)

    play(story)


@pytest.mark.parametrize("line", ["near", "0100-1"])
@pytest.mark.parametrize("rate", [1200, 2400])
def test_either_end_may_train_anew_at_another_rate(play: Callable[..., None], line: str, rate: int) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("retrain", line=line, rate=rate)
        await there.wait(0.2)  # what is sent before the far end notices is lost, without error correction
        came = await there.passes(DATA, 8)
        assert [each[-len(DATA) :] for each in came] == [DATA, DATA]
        signal = there.ask("signal", line="near")
        assert (signal["phase"], signal["rate"]) == ("data", rate)  # type: ignore[index]

    play(story)


def test_a_signal_that_stays_poor_is_trained_on_and_then_slower(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("impair", line="near", attenuation=10, noise=-26)
        await there.wait(30)
        assert there.ask("signal", line="near")["rate"] == 1200  # type: ignore[index]
        there.ask("impair", line="near", attenuation=10)
        await there.wait(10)  # an end that has just found it poor may train once more
        there.near.said = there.far.said = b""
        assert await there.passes(DATA, 4) == (DATA, DATA)

    play(story)


def test_noise_as_loud_as_the_modems_is_no_carrier(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.near.command("ATS7=25")
        assert await there.near.call("5550100") in ("NO CARRIER", "NO ANSWER")

    play(story, 2400, Impairments(attenuation=10.0, noise=-20.0))


@pytest.mark.parametrize(
    "impairments",
    [
        Impairments(attenuation=26.0), Impairments(attenuation=10.0, noise=-50.0), Impairments(delay=270.0),
        Impairments(attenuation=10.0, attenuation_distortion=8.0), Impairments(group_delay=1.5, attenuation=10.0),
        Impairments(attenuation=10.0, frequency_shift=6.0), Impairments(phase_jitter=Jitter(degrees=10.0)),
        Impairments(near_echo=Echo(below=12.0, milliseconds=1.0), attenuation=16.0),
        Impairments(attenuation=10.0, listener_echo=Echo(below=20.0, milliseconds=15.0)),
        Impairments(attenuation=10.0, gain_hits=Hits(per_minute=20, size=GAIN_HIT_BORNE, milliseconds=100)),
    ],
)  # fmt: skip
def test_an_impaired_line_carries_everything_all_the_same(play: Callable[..., None], impairments: Impairments) -> None:
    async def story(there: SoundTown) -> None:
        assert await there.connected() == 2400
        assert await there.passes(DATA, 3) == (DATA, DATA)

    play(story, 2400, impairments)


def test_the_sound_of_a_call_is_recorded_with_its_phases(play: Callable[..., None], tmp_path: Path) -> None:
    async def story(there: SoundTown) -> None:
        there.ask("sound", line="near", file=str(tmp_path / "call.wav"))
        await there.connected()
        there.near.modem.set_dtr(False)
        await there.wait(1)
        there.ask("sound", line="near", file="")

    play(story)
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    phases = json.loads((tmp_path / "call.json").read_text())["phases"]
    assert [name for _, name in phases] == [
        "listening", "dialling", "listening", "answer tone, V.8", "training", "data", "on hook",
    ]  # fmt: skip
    begins = {name: round(at * RATE) for at, name in reversed(phases)}
    assert level(sound[begins["dialling"] : begins["dialling"] + RATE, 0]) == pytest.approx(-10, abs=4)
    assert level(sound[begins["data"] : begins["data"] + RATE // 4, 1]) == pytest.approx(-22, abs=2)
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600


def test_who_is_left_alone_before_there_is_a_carrier_gives_up_after_s7(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.near.command("ATS7=20")
        there.near.modem.from_dte(b"ATDT5550100\r")
        await there.wait(6)
        there.far.modem.set_dtr(False)
        await there.near.until(b"NO CARRIER", seconds=20)

    play(story)


def test_a_modem_that_is_unplugged_frees_its_line_and_the_other_end(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("remove", name="near")
        await there.far.until(b"NO CARRIER", seconds=3)
        assert there.ask("calls") == []
        there.ask("install", name="near", number="555-0199")

    play(story)


def test_somebody_who_calls_by_telephone_gets_a_modem_that_gives_up(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.far.command("ATS7=20")
        there.ask("call_by_voice", number="5550100")
        await there.far.until(b"NO CARRIER", seconds=40)
        await there.wait(1)
        assert there.ask("calls") == []

    play(story)


def test_a_line_that_is_to_drop_after_so_many_bytes_carries_them_first(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        there.ask("drop_carrier", line="near", after_bytes=100)
        near, _ = await there.passes(DATA, 3)
        assert near[:100] == DATA[:100]
        assert near.endswith(b"NO CARRIER\r\n")

    play(story)


def test_impairments_that_there_are_not_are_refused_by_name(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        with pytest.raises(ValueError, match=r"impairments: .*hum"):
            there.ask("impair", line="near", hum=3)
        there.ask("impair", line="near", phase_hits={"per_minute": 6, "size": 10}, noise=-50)
        assert there.ask("signal", line="near")["phase"] == "data"  # type: ignore[index]

    play(story)


def test_while_somebody_is_called_there_is_no_hurry(tmp_path: Path) -> None:
    """Who answers has the world's time: on a fast machine S7 was over before a gateway had said ATA."""

    async def run() -> None:
        async with town(tmp_path) as made:
            made.far.command("ATS0=0")
            made.near.modem.from_dte(b"ATDT5550100\r")
            await made.far.until(b"RING")
            began = made.lines.clock.time()
            await asyncio.sleep(0.5)
            assert made.lines.clock.time() - began < 1.5
            made.far.modem.from_dte(b"ATA\r")
            await made.near.until(b"CONNECT")

    asyncio.run(run())


def test_in_real_time_a_second_of_the_line_is_the_worlds(tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path, hurry=False) as there:
            began, line = time.monotonic(), there.lines.clock.time()
            there.near.modem.from_dte(b"ATDT55\r")
            await there.wait(1.5)
            assert there.lines.clock.time() - line == pytest.approx(time.monotonic() - began, abs=0.25)
            assert there.ask("signal", line="near")["phase"] in ("dialling", "listening")  # type: ignore[index]

    asyncio.run(story())


def test_without_numpy_it_is_said_what_installs_it() -> None:
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from rig.parts.exchange.analogue.plan import check_installed\n"
        "try: check_installed(card=False)\n"
        "except Exception as error: print(type(error).__name__, error, error.advice)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "CannotRunError a line that carries sound needs numpy pip install 'rig[analogue]'\n"


def test_a_retrain_that_comes_to_nothing_is_told_once_and_s10_ends_the_call() -> None:
    """Catches a modem that never hangs up: each time it is told so, S10 begins anew."""
    told: list[Line] = []
    pumps = [DataPump(lambda event, _: told.append(event), lambda _: None, lambda: None) for _ in "ab"]
    pumps[0].listen((V22B,))
    pumps[1].answer((V22B,))
    for _ in range(12 * 50):
        for pump, sound in zip(pumps[::-1], [pump.transmit() for pump in pumps], strict=True):
            pump.receive(sound // 4)
    assert pumps[0].retrain()
    told.clear()
    tone = (3000 * np.sin(2 * np.pi * 2250 * np.arange(160) / RATE)).astype(np.int16)
    for _ in range(round(2 * RETRAIN_SECONDS * 50)):
        pumps[0].transmit()
        pumps[0].receive(tone)
    assert told == [Line.CARRIER, Line.CARRIER_LOST]


def test_points_are_kept_without_the_order_in_which_they_would_be_what_was_said(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        await there.connected()
        points = there.ask("signal", line="near")["points"]  # type: ignore[index]
        assert len(points) > 300
        assert points == sorted(points)

    play(story)


def test_a_line_that_was_not_answered_cannot_be_impaired(play: Callable[..., None]) -> None:
    async def story(there: SoundTown) -> None:
        there.near.modem.from_dte(b"ATDT5550102\r")
        await there.wait(6)
        with pytest.raises(ValueError, match="line near has not been answered"):
            there.ask("interrupt", line="near", milliseconds=100)
        with pytest.raises(ValueError, match="not in data state"):
            there.ask("retrain", line="near")

    play(story)
