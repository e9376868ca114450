"""Call progress is told by its rhythm, whatever tones this country has for it; characters by V.14."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.sound.samples import BLOCK, RATE, Sound, coded, root_mean_square
from rig.parts.exchange.analogue.hearing import Heard, Listener
from rig.parts.exchange.analogue.tones import HELLO, NOT_IN_SERVICE, Player, Signal
from rig.parts.exchange.analogue.v14 import CharacterReceiver, CharacterSender


def played(*signals: Signal, seconds: float) -> Sound:
    player = Player()
    player.play(*signals)
    return np.concatenate([player.next(BLOCK) for _ in range(round(seconds * RATE / BLOCK))])


def heard(sound: Sound, noise: float = -90.0) -> list[Heard]:
    told: list[Heard] = []
    listener = Listener(told.append)
    chance = np.random.default_rng(1)
    sound = sound + root_mean_square(noise) * chance.standard_normal(len(sound), np.float32)
    for at in range(0, len(sound), BLOCK):
        listener.hear(coded(sound[at : at + BLOCK]))
    return told


@pytest.mark.parametrize("noise", [-90.0, -45.0])
@pytest.mark.parametrize("hertz", [(350, 440), (425,), (400,), (350, 450)], ids=["America", "Europe", "Japan", "UK"])
def test_a_tone_that_goes_on_is_dial_tone(hertz: tuple[float, ...], noise: float) -> None:
    assert heard(played(Signal(hertz, -20), seconds=3), noise) == [Heard.DIAL_TONE]


@pytest.mark.parametrize("noise", [-90.0, -45.0])
@pytest.mark.parametrize(
    ("hertz", "on", "off"),
    [
        ((480, 620), 0.5, 0.5),
        ((480, 620), 0.25, 0.25),
        ((425,), 0.48, 0.48),
        ((400,), 0.375, 0.375),
        ((425,), 0.2, 0.2),
    ],
    ids=["America", "America's reorder", "Germany", "UK", "Italy's congestion"],
)
def test_bursts_as_long_as_their_pauses_are_busy(hertz: tuple[float, ...], on: float, off: float, noise: float) -> None:
    told = heard(played(Signal(hertz, -24, on, off), seconds=4), noise)
    assert set(told) == {Heard.BUSY}


@pytest.mark.parametrize("noise", [-90.0, -45.0])
@pytest.mark.parametrize(
    ("hertz", "on", "off"), [((440, 480), 2, 4), ((425,), 1, 4), ((400,), 1, 2)], ids=["America", "Europe", "Japan"]
)
def test_bursts_with_long_pauses_are_ringing_and_never_busy(
    hertz: tuple[float, ...], on: float, off: float, noise: float
) -> None:
    told = heard(played(Signal(hertz, -20, on, off), seconds=2 * (on + off)), noise)
    assert told.count(Heard.RING_BACK) == 2
    assert Heard.BUSY not in told
    assert Heard.QUIET not in told, "nothing rings with a pause of five seconds"


def test_the_two_bursts_of_a_british_ring_are_one_ring() -> None:
    burst = [Signal((400, 450), -20, 0.4, once=True), Signal((), -20, 0.2, once=True)] * 2
    told = heard(played(*burst, Signal((), -20, 1.8, once=True), *burst, seconds=5))
    assert told.count(Heard.RING_BACK) == 2
    assert Heard.BUSY not in told


def test_quiet_is_five_seconds_of_nothing_behind_something() -> None:
    assert Heard.QUIET not in heard(played(seconds=9))
    assert heard(played(Signal((440, 480), -20, 2, once=True), seconds=9))[-1] is Heard.QUIET


@pytest.mark.parametrize("noise", [-90.0, -45.0])
@pytest.mark.parametrize(("hertz", "tone"), [(2100, Heard.ANSWER_TONE), (2225, Heard.BELL_TONE)])
def test_an_answer_tone_is_told_once(hertz: float, tone: Heard, noise: float) -> None:
    assert heard(played(Signal((hertz,), -25), seconds=3), noise) == [tone]


@pytest.mark.parametrize("hertz", [1650, 1980, 2350])
def test_a_tone_beside_an_answer_tone_is_none(hertz: float) -> None:
    assert heard(played(Signal((hertz,), -25), seconds=2)) == []


@pytest.mark.parametrize("signals", [HELLO, NOT_IN_SERVICE], ids=["somebody", "special information"])
def test_what_is_no_call_progress_is_told_as_none(signals: tuple[Signal, ...]) -> None:
    assert not set(heard(played(*signals, seconds=3))) - {Heard.RING_BACK}


def test_noise_alone_is_nothing() -> None:
    assert heard(np.zeros(10 * RATE, np.float32), -30.0) == []


# --- characters ------------------------------------------------------------------------------------------------------


def bits_of(data: bytes) -> list[int]:
    waiting = list(data)
    sender = CharacterSender(lambda: waiting.pop(0) if waiting else None)
    return [sender.bit() for _ in range(10 * len(data) + 3)]


def received(bits: list[int]) -> bytes:
    got: list[int] = []
    receiver = CharacterReceiver(got.append)
    for bit in bits:
        receiver.bit(bit)
    return bytes(got)


@given(st.binary(max_size=200), st.integers(0, 30))
def test_characters_come_as_they_were_sent_wherever_the_line_idled(data: bytes, idle: int) -> None:
    assert received([1] * idle + bits_of(data)) == data


def test_a_stop_bit_that_was_left_out_is_put_in_again() -> None:
    bits = bits_of(b"abc")
    del bits[9], bits[18]
    assert received(bits) == b"abc"


def test_a_break_is_no_character_and_what_follows_it_is_whole() -> None:
    assert received([1, 1] + [0] * 25 + [1, 1] + bits_of(b"after")) == b"after"
