"""A line's impairments are what they are defined to be: each is measured, by tones and clicks, as on a real line."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.drivers.sound.impairments import (
    Echo,
    Harmonics,
    Hits,
    Impairments,
    Impulses,
    Interruptions,
    Jitter,
    Tone,
)
from rig.drivers.sound.samples import BLOCK, RATE, Sound, amplitude, level, silence
from rig.parts.exchange.analogue.channel import TAPS, Channel, Path

SETTLED = RATE // 4


def tone(hertz: float, seconds: float, dbm0: float = -12.0) -> Sound:
    made: Sound = (amplitude(dbm0) * np.sin(2 * math.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(
        np.float32
    )
    return made


def through(channel: Channel, sound: Sound) -> Sound:
    """What arrives of it, block by block."""
    return np.concatenate([channel.carry(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)])


def carried(sound: Sound, **impairments: object) -> Sound:
    return through(Channel(Impairments(**impairments), 1), sound)  # type: ignore[arg-type]


def at(sound: Sound, hertz: float) -> complex:
    """Amplitude and phase of a tone within it, once it is steady, over whole seconds."""
    steady = sound[len(sound) % RATE or RATE :].astype(np.float64)
    turn = np.exp(-2j * math.pi * hertz * (np.arange(len(steady)) + len(sound) - len(steady)) / RATE)
    return complex(2 * np.mean(steady * turn))


def decibels(ratio: complex) -> float:
    return 20 * math.log10(abs(ratio))


def loss(hertz: float, **impairments: object) -> float:
    sent = tone(hertz, 3)
    return decibels(at(sent, hertz) / at(carried(sent, **impairments), hertz))


def turned(sound: Sound, hertz: float) -> Sound:
    """The phase of a tone, in degrees, for each sample: against the middle of what it is."""
    quarter = np.exp(-2j * math.pi * hertz * np.arange(len(sound)) / RATE)
    slow = np.convolve(sound * quarter, np.hanning(81) / 40.5, "same")
    phase = np.degrees(np.unwrap(np.angle(slow)))[SETTLED:-SETTLED]
    around: Sound = (phase - np.median(phase)).astype(np.float32)
    return around


def test_a_line_without_impairments_changes_nothing() -> None:
    sent = tone(1000, 1)
    assert np.array_equal(carried(sent), sent)


def test_a_level_is_in_dbm0() -> None:
    assert level(tone(1020, 1, 3.14)) == pytest.approx(3.14, abs=0.01)
    assert np.abs(tone(1000, 1, 3.14)).max() == pytest.approx(32767, rel=1e-3)


@pytest.mark.parametrize("hertz", [300, 1020, 3000])
def test_attenuation_is_the_same_at_every_frequency(hertz: float) -> None:
    assert loss(hertz, attenuation=16.0) == pytest.approx(16, abs=0.01)


@pytest.mark.parametrize(("hertz", "expected"), [(300, 8), (660, 2), (1020, 0), (2010, 2), (3000, 8)])
def test_attenuation_distortion_grows_to_either_edge_of_the_band(hertz: float, expected: float) -> None:
    assert loss(hertz, attenuation_distortion=8.0) == pytest.approx(expected, abs=0.3)


def delay_at(hertz: float, **impairments: object) -> float:
    """Milliseconds, by the phase of two tones 10 Hz apart."""
    phases = []
    for each in (hertz - 5, hertz + 5):
        sent = tone(each, 3)
        phases.append(np.angle(at(carried(sent, **impairments), each) / at(sent, each)))
    turn = float(np.angle(np.exp(1j * (phases[1] - phases[0]))))
    return -turn / (2 * math.pi * 10) * 1000 % 100


@pytest.mark.parametrize(("hertz", "expected"), [(600, 1.5), (1200, 0.375), (2400, 0.375), (3000, 1.5)])
def test_group_delay_is_what_a_pair_of_tones_shows(hertz: float, expected: float) -> None:
    middle = delay_at(1800, group_delay=1.5)
    assert middle == pytest.approx(TAPS // 2 / RATE * 1000, abs=0.05), "the filter's own"
    assert delay_at(hertz, group_delay=1.5) - middle == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("hertz", [600, 1000, 2800])
def test_every_frequency_is_shifted_by_as_much(hertz: float) -> None:
    came = carried(tone(hertz, 3), frequency_shift=7.0)
    assert decibels(at(came, hertz + 7) / amplitude(-12)) == pytest.approx(0, abs=0.2)
    assert decibels(at(came, hertz) / amplitude(-12)) < -40
    assert decibels(at(came, hertz - 7) / amplitude(-12)) < -40


def test_phase_jitter_has_its_degrees_from_peak_to_peak_and_its_frequency() -> None:
    phase = turned(carried(tone(1000, 4), phase_jitter=Jitter(degrees=20, hertz=20)), 1000)
    assert phase.max() - phase.min() == pytest.approx(20, rel=0.05)
    assert np.argmax(np.abs(np.fft.rfft(phase[: 2 * RATE]))[1:]) + 1 == 40


def test_a_phase_hit_turns_the_phase_for_its_time_and_back() -> None:
    channel = Channel(Impairments(phase_hits=Hits(size=30)), 1)
    sound = tone(1000, 2)
    first = through(channel, sound[:RATE])
    channel.phase_hit(30, 100)
    phase = turned(np.concatenate((first, through(channel, sound[RATE:]))), 1000)
    hit = np.flatnonzero(phase > 15)
    assert phase.max() == pytest.approx(30, abs=2)
    assert len(hit) / RATE == pytest.approx(0.1, abs=0.02)


def test_hits_come_as_often_as_they_should() -> None:
    sound = carried(tone(1000, 120), gain_hits=Hits(per_minute=60, size=6.0, milliseconds=20))
    levels = np.array([level(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)])
    lower = levels < -15
    assert levels[lower] == pytest.approx(-18, abs=0.1)
    assert 80 < lower.sum() < 165  # 120 expected; three standard deviations to either side


def test_a_line_that_turns_no_phases_says_so() -> None:
    with pytest.raises(ValueError, match="phase-hits with a size"):
        Channel(Impairments(), 1).phase_hit(30, 100)


def test_a_gain_hit_is_as_deep_and_as_long_as_was_asked() -> None:
    channel = Channel(Impairments(), 1)
    channel.gain_hit(10, 60)
    levels = [level(channel.carry(tone(1000, 0.02))) for _ in range(6)]
    assert levels == pytest.approx([-22] * 3 + [-12] * 3, abs=0.05)


def test_an_interruption_lets_nothing_through_for_its_time() -> None:
    channel = Channel(Impairments(), 1)
    channel.interrupt(300)
    came = through(channel, tone(1011, 1) + 20)
    assert np.count_nonzero(np.abs(came) < 1e-6) / RATE == pytest.approx(0.3, abs=0.001)


def test_interruptions_come_by_themselves() -> None:
    came = carried(tone(1011, 60) + 20, interruptions=Interruptions(per_minute=30, milliseconds=40))
    assert 0.5 < np.count_nonzero(np.abs(came) < 1e-6) / RATE < 2.0


def test_harmonics_are_as_far_below_a_tone_as_was_asked() -> None:
    came = carried(tone(700, 3), harmonics=Harmonics(second=36, third=30))
    whole = abs(at(came, 700))
    assert decibels(at(came, 1400) / whole) == pytest.approx(-36, abs=0.5)
    assert decibels(at(came, 2100) / whole) == pytest.approx(-30, abs=0.7)
    assert abs(float(came[RATE:].mean())) < 5, "no line carries what does not change"


def test_a_listener_hears_again_what_was_reflected_twice() -> None:
    click = silence(RATE)
    click[0] = 1000
    came = carried(click, listener_echo=Echo(below=12, milliseconds=25))
    assert np.flatnonzero(came).tolist() == [0, 200]
    assert decibels(came[200] / came[0]) == pytest.approx(-12, abs=0.01)


def test_noise_has_its_level_and_is_white() -> None:
    came = carried(silence(60 * RATE), noise=-45.0)
    assert level(came) == pytest.approx(-45, abs=0.05)
    power = np.abs(np.fft.rfft(came)) ** 2
    parts = [10 * math.log10(part.mean() / power.mean()) for part in np.array_split(power, 8)]
    assert parts == pytest.approx([0] * 8, abs=0.1)


def test_impulses_come_as_often_and_as_high_as_was_asked() -> None:
    came = carried(silence(120 * RATE), impulses=Impulses(per_minute=60, level=-10))
    starts = np.flatnonzero((np.abs(came) > 0) & (np.abs(np.concatenate(([0], came[:-1]))) == 0))
    assert 85 < len(starts) < 155
    assert np.abs(came).max() == pytest.approx(amplitude(-10), rel=0.01)


def test_a_single_tone_is_always_there() -> None:
    came = carried(silence(3 * RATE), tone=Tone(hertz=1230, level=-40))
    assert decibels(at(came, 1230) / amplitude(-40)) == pytest.approx(0, abs=0.02)
    assert level(came) == pytest.approx(-40, abs=0.02)


def heard(path: Path, blocks: int) -> tuple[Sound, Sound]:
    """What comes to either end of a click that the first one sends."""
    click = silence()
    click[0] = 1000
    both = [path.carry(click if number == 0 else silence(), silence()) for number in range(blocks)]
    return np.concatenate([one for one, _ in both]), np.concatenate([other for _, other in both])


def test_what_is_sent_comes_after_the_lines_delay_at_the_other_end_alone() -> None:
    own, other = heard(Path(Impairments(delay=270), 1), 40)
    assert np.flatnonzero(other).tolist() == [2160]
    assert not own.any()


def test_echoes_come_from_the_near_and_from_the_far_hybrid() -> None:
    near, far = Echo(below=14, milliseconds=2), Echo(below=20, milliseconds=0)
    own, _ = heard(Path(Impairments(delay=100, near_echo=near, far_echo=far), 1), 40)
    places = np.flatnonzero(own)[:2].tolist()
    assert places[0] == 16
    assert places[1] == pytest.approx(1600 + BLOCK, abs=BLOCK), "there and back, and a block within the far hybrid"
    assert [decibels(own[place] / 1000) for place in places] == pytest.approx([-14, -20], abs=0.01)


def test_other_impairments_are_in_force_with_the_next_block() -> None:
    channel = Channel(Impairments(), 1)
    channel.carry(tone(1000, 0.02))
    channel.change(Impairments(attenuation=6.0))
    assert level(channel.carry(tone(1000, 0.02))) == pytest.approx(-18, abs=0.05)
