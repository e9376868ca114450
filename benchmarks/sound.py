"""Modems that talk by sound: how fast, in how much memory, how often they connect, what they bear and carry."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from benchmarks.figures import Figure, spread
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
from rig.drivers.sound.modulations import V22, V22B
from rig.drivers.sound.samples import BLOCK, SECONDS, coded
from rig.drivers.sound.v22bis import V22bis
from rig.parts.exchange.analogue.channel import Channel, Path
from rig.parts.exchange.analogue.data_pump import DataPump, Phase

EVERY = Impairments(
    attenuation=16, attenuation_distortion=3, group_delay=0.5, frequency_shift=1, noise=-58, delay=20,
    gain_hits=Hits(per_minute=5, size=2), interruptions=Interruptions(per_minute=0.01),
    phase_hits=Hits(per_minute=5, size=5), phase_jitter=Jitter(degrees=3), harmonics=Harmonics(second=40, third=45),
    listener_echo=Echo(below=30, milliseconds=10), impulses=Impulses(per_minute=5, level=-30),
    tone=Tone(hertz=1000, level=-55), near_echo=Echo(below=18, milliseconds=1), far_echo=Echo(below=25, milliseconds=1),
)  # fmt: skip
CLEAN = Impairments(attenuation=16)
LIMIT = V22B.rate / 10
"""Bytes a second."""
CALLS = 100
CALLS_IN_NOISE, CHARACTERS = 40, 100
LINES = 8
SYMBOLS, BANDWIDTH = 600, 4000
WRONG = 1e-2
"""Of bits, at which a theory is held to a measurement."""
BITS, BIT_BLOCKS, TRAINED_BLOCKS = 40_000, 1500, 200
V22BIS_DBM0 = -12.0
"""What a modem sends."""


@dataclass
class Pair:
    """Two modems and a line, without an exchange. Both send random bytes as long as they are in data state."""

    impairments: Impairments
    seed: int = 1
    sent: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    got: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)

        def next_byte(end: int) -> Callable[[], int]:
            def take() -> int:
                self.sent[end].append(chance.randrange(256))
                return self.sent[end][-1]

            return take

        self.pumps = [DataPump(lambda event, rate: None, self.got[end].append, next_byte(end)) for end in range(2)]
        self.pumps[0].listen((V22B, V22))
        self.pumps[1].answer((V22B, V22))
        self.path = Path(self.impairments, self.seed)
        self.blocks = 0

    def block(self) -> None:
        there, back = (pump.transmit().astype(np.float32) for pump in self.pumps)
        for pump, sound in zip(self.pumps, self.path.carry(there, back), strict=True):
            pump.receive(coded(sound))
        self.blocks += 1

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / SECONDS)):
            self.block()

    @property
    def connected(self) -> bool:
        return all(pump.phase is Phase.DATA for pump in self.pumps)

    def train(self, seconds: float = 15.0) -> bool:
        """Whether they do, in so much of the line's time."""
        end = self.blocks + round(seconds / SECONDS)
        while not self.connected and self.blocks < end:
            self.block()
        return self.connected


def speed(impairments: Impairments) -> float:
    """Seconds of line that a second of one processor makes."""
    pair = Pair(impairments)
    began = time.process_time()
    pair.run(60)
    return 60 / (time.process_time() - began)


def memory() -> float:
    """Megabytes at the most of a process that has a line with every impairment."""
    program = (
        "import tests.process_memory as memory, benchmarks.sound as sound; sound.Pair(sound.EVERY).run(20); "
        "print(memory.peak())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


def goodput() -> float:
    """Bytes a second that arrive as they were sent, of those that the line could carry."""
    pair = Pair(CLEAN)
    if not pair.train():
        raise RuntimeError("a clean line does not connect")
    pair.run(1)
    before = len(pair.got[1])
    pair.run(60)
    if bytes(pair.sent[0]).find(bytes(pair.got[1][-200:])) < 0:
        raise RuntimeError("what arrived is not what was sent")
    return (len(pair.got[1]) - before) / 60 / LIMIT


def wrong_bits(noise: float) -> float:
    """The share of a caller's bits that comes wrong, on a line that trained without noise; those of the descrambler."""
    chance = random.Random(3)
    sent: list[int] = []
    got: list[int] = []

    def next_bit() -> int:
        sent.append(chance.getrandbits(1))
        return sent[-1]

    caller = V22bis(calling=True, rate=2400, next_bit=next_bit, take_bit=_ignored, take_signal=_ignored)
    callee = V22bis(calling=False, rate=2400, next_bit=lambda: 1, take_bit=got.append, take_signal=_ignored)
    there, back = Channel(CLEAN, 1), Channel(CLEAN, 2)
    for block in range(BIT_BLOCKS):
        if block == TRAINED_BLOCKS:
            there.change(msgspec.structs.replace(CLEAN, noise=noise))
            from_bit, from_got = len(sent) + SYMBOLS, len(got)
        out, into = (modem.transmit(BLOCK).astype(np.float32) for modem in (caller, callee))
        callee.receive(coded(there.carry(out)))
        caller.receive(coded(back.carry(into)))
    ours, theirs = np.array(sent[from_bit : from_bit + BITS]), np.array(got)
    places = range(from_got, min(len(theirs) - BITS, from_got + 2 * SYMBOLS))
    return min((float(np.mean(ours != theirs[at : at + BITS])) for at in places), default=1.0)


def _ignored(_: int) -> None:
    pass


def bears() -> float:
    """The noise in dBm0 at which WRONG of the bits are wrong, between two tenths of a decibel."""
    return _loudest(lambda noise: wrong_bits(noise) < WRONG, 0.2)


def _loudest(borne: Callable[[float], bool], within: float) -> float:
    """The noise in dBm0 that is borne still, within so many decibels."""
    quiet, loud = -50.0, -30.0
    while loud - quiet > within:
        middle = (quiet + loud) / 2
        quiet, loud = (middle, loud) if borne(middle) else (quiet, middle)
    return quiet


def theory(signal: float) -> float:
    """The same of sixteen points in noise: each wrong quadrant counts for two, being told as a difference, and each
    wrong bit for three, being descrambled (V.22bis §2.5, §5)."""
    return _quiet_enough(signal, lambda tail: 3 * 1.5 * 0.75 * tail <= WRONG)


def comes_whole(noise: float, seed: int) -> bool:
    """Whether a call in noise connects at 2,400 bit/s and CHARACTERS of it come as they were sent."""
    pair = Pair(msgspec.structs.replace(CLEAN, noise=noise), seed)
    if not pair.train() or pair.pumps[1].rate != V22B.rate:
        return False
    pair.run(0.5)
    before = len(pair.got[1])
    pair.run(CHARACTERS / LIMIT + 0.1)
    came = bytes(pair.got[1][before : before + CHARACTERS])
    return len(came) == CHARACTERS and came in bytes(pair.sent[0])


def halves_calls() -> float:
    """The noise in dBm0 in which half of the calls come whole, between a quarter of a decibel."""
    return _loudest(
        lambda noise: 2 * sum(comes_whole(noise, seed) for seed in range(CALLS_IN_NOISE)) >= CALLS_IN_NOISE, 0.25
    )


def theory_of_half(signal: float) -> float:
    """The same of so many symbols, none of which may come wrong: each of a point's two coordinates has one and a half
    neighbours on the average."""
    symbols = CHARACTERS * 10 / 4
    return _quiet_enough(signal, lambda tail: (1 - 3 * tail) ** symbols >= 0.5)


def _quiet_enough(signal: float, borne: Callable[[float], bool]) -> float:
    """The loudest noise in dBm0 of which it is borne how often a coordinate passes the middle to a neighbour."""
    noise = signal
    while not borne(_tail(10 ** ((signal - noise) / 10) * BANDWIDTH / SYMBOLS)):
        noise -= 0.05
    return noise


def _tail(symbol_over_density: float) -> float:
    return 0.5 * math.erfc(math.sqrt(symbol_over_density / 10))


def worst_lateness(seconds: float = 20.0) -> float:
    """Of so many lines' blocks, made in step with the world's time by one processor: by how much one came too late."""
    pairs = [Pair(EVERY, seed) for seed in range(LINES)]
    began, worst = time.monotonic(), 0.0
    for block in range(round(seconds / SECONDS)):
        for pair in pairs:
            pair.block()
        ahead = began + (block + 1) * SECONDS - time.monotonic()
        worst = max(worst, -ahead)
        time.sleep(max(0.0, ahead))
    return worst


def measure() -> list[Figure]:
    """Every figure of this part."""
    clean, every = ([speed(line) for _ in range(5)] for line in (CLEAN, EVERY))
    trained = sum(Pair(CLEAN, seed).train() for seed in range(CALLS))
    megabytes, carried, late = memory(), goodput(), worst_lateness()
    signal = V22BIS_DBM0 - CLEAN.attenuation
    noise, expected = bears(), theory(signal)
    halved, half = halves_calls(), theory_of_half(signal)
    return [
        Figure("two modems by sound, clean line", spread(clean, "times real time"), "one processor", "", None),
        Figure(
            "the same, every impairment", spread(every, "times real time"), "one processor", "at least 10",
            min(every) >= 10,
        ),
        Figure("memory of such a line", f"{megabytes:.0f} MB", "the whole process", "under 80 MB", megabytes < 80),
        Figure(
            f"{LINES} such lines at once", f"{late * 1000:.0f} ms behind at worst", "one processor, real time",
            "less than 500 ms", late < 0.5,
        ),
        Figure("calls that train, clean line", f"{trained} of {CALLS}", "", f"all {CALLS}", trained == CALLS),
        Figure(
            "noise at which 1 % of the bits is wrong", f"{noise:.1f} dBm0",
            f"theory: {expected:.1f} dBm0, for a signal of {signal:.0f}", "within 2 dB",
            abs(noise - expected) <= 2,
        ),
        Figure(
            f"noise in which half of the calls bring {CHARACTERS} characters whole", f"{halved:.1f} dBm0",
            f"theory: {half:.1f} dBm0; {CALLS_IN_NOISE} calls each", "within 2 dB", abs(halved - half) <= 2,
        ),
        Figure("goodput at 2,400 bit/s", f"{carried:.3f} of the limit", "V.14, ten bits a byte", "at least 0.95",
               carried >= 0.95),
    ]  # fmt: skip
