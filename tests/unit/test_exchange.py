"""The exchange and its circuits, in virtual time: who is rung, when, and how fast bytes pass."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from rig.parts.exchange.circuit import BITS_PER_BYTE, Direction
from rig.parts.exchange.exchange import Exchange, Subscriber, Timing, canonical
from rig.parts.exchange.hayes.events import Line
from rig.parts.exchange.taps import Taps
from rig.parts.exchange.wired import WiredLines
from tests.unit.virtual_time import run

TIMING = Timing(rate=33600, setup=1.0, ring_every=6.0, training=3.0, patience=10.0)


@dataclass
class Phone:
    """A telephone that writes down what its line does, and when."""

    heard: list[tuple[float, Line]] = field(default_factory=list)
    data: bytes = b""

    def line_event(self, event: Line, rate: int = 0) -> None:
        self.heard.append((asyncio.get_running_loop().time(), event))

    def line_data(self, data: bytes) -> None:
        self.data += data

    def events(self) -> list[Line]:
        return [event for _, event in self.heard]


class Town:
    """An exchange with a caller and a hunt group of two."""

    def __init__(self) -> None:
        self.exchange = Exchange(TIMING, WiredLines(Taps()).join)
        self.caller = self._phone("caller", "5550199")
        hunt = self.exchange.list_number("1-800-555-0100", "modem")
        self.hunt = [self.exchange.subscribe(name, hunt) for name in ("one", "two")]
        for line in self.hunt:
            line.telephone = Phone()
        for number, kind in (("5550101", "busy"), ("5550102", "no-answer"), ("5550103", "voice")):
            self.exchange.list_number(number, kind)

    def _phone(self, name: str, number: str) -> Subscriber:
        line = self.exchange.subscribe(name, self.exchange.list_number(number, "modem"))
        line.telephone = Phone()
        return line

    def phone(self, line: Subscriber) -> Phone:
        assert isinstance(line.telephone, Phone)
        return line.telephone

    def dial(self, number: str, line: Subscriber | None = None) -> None:
        line = line or self.caller
        self.exchange.off_hook(line)
        self.exchange.digits(line, number)
        self.exchange.dial_complete(line)


def test_numbers_are_compared_without_punctuation_and_the_leading_one() -> None:
    assert canonical("1-800-555-0100") == canonical("800 555 0100") == canonical("18005550100")


def test_call_is_set_up_rung_trained_and_connected_at_its_times() -> None:
    async def story() -> None:
        town = Town()
        town.dial("18005550100")
        await asyncio.sleep(8)
        called = town.hunt[0]
        assert [round(at, 3) for at, event in town.phone(called).heard if event is Line.RING] == [1.0, 7.0]
        town.exchange.answer(called)
        await asyncio.sleep(3.1)
        at, event = town.phone(called).heard[-1]
        assert (round(at, 3), event) == (11.0, Line.CARRIER)
        assert town.phone(town.caller).events()[-1] is Line.CARRIER

    run(story())


class Impatient(Phone):
    """A telephone whose modem hangs up within the very event that says BUSY, as a modem does."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self.town = town

    def line_event(self, event: Line, rate: int = 0) -> None:
        super().line_event(event, rate)
        if event is Line.BUSY:
            self.town.exchange.on_hook(self.town.caller)


def test_a_call_that_has_ended_does_nothing_to_the_next_one() -> None:
    """Catches a timer of a busy call that released the line under the call that followed it."""

    async def story() -> None:
        town = Town()
        phone = town.caller.telephone = Impatient(town)
        town.dial("5550101")
        await asyncio.sleep(2)
        town.dial("5550102")
        await asyncio.sleep(TIMING.patience + 5)
        assert phone.events().count(Line.BUSY) == 1
        assert phone.events().count(Line.RELEASED) == 0
        assert len(town.exchange.calls) == 1

    run(story())


def test_hunt_group_rings_the_first_free_line_and_is_busy_when_none_is() -> None:
    async def story() -> None:
        town = Town()
        others = [town._phone(f"other-{n}", f"555020{n}") for n in range(2)]
        for line in others:
            town.dial("18005550100", line)
        await asyncio.sleep(1.5)
        assert [line.call is not None for line in town.hunt] == [True, True]
        town.dial("18005550100")
        await asyncio.sleep(1.5)
        assert town.phone(town.caller).events()[-1] is Line.BUSY

    run(story())


@pytest.mark.parametrize(
    ("number", "heard"),
    [
        ("5550101", [Line.DIALTONE, Line.BUSY, Line.RELEASED]),
        ("5550103", [Line.DIALTONE, Line.RINGBACK, Line.VOICE, Line.RELEASED]),
        ("5559999", [Line.DIALTONE, Line.QUIET, Line.RELEASED]),
    ],
)
def test_what_is_heard_at_numbers_with_no_modem(number: str, heard: list[Line]) -> None:
    async def story() -> None:
        town = Town()
        town.dial(number)
        await asyncio.sleep(40)
        assert town.phone(town.caller).events() == heard
        assert town.exchange.calls == []

    run(story())


def test_unanswered_number_rings_until_the_caller_hangs_up() -> None:
    async def story() -> None:
        town = Town()
        town.dial("5550102")
        await asyncio.sleep(61)
        assert town.phone(town.caller).events().count(Line.RINGBACK) == 11
        town.exchange.on_hook(town.caller)
        assert town.exchange.calls == []

    run(story())


def test_hanging_up_takes_the_other_sides_carrier_and_frees_both() -> None:
    async def story() -> None:
        town = Town()
        town.dial("18005550100")
        await asyncio.sleep(2)
        town.exchange.answer(town.hunt[0])
        await asyncio.sleep(4)
        town.exchange.on_hook(town.caller)
        assert town.phone(town.hunt[0]).events()[-1] is Line.CARRIER_LOST
        assert town.hunt[0].call is None
        assert town.caller.call is None

    run(story())


def test_dead_line_has_no_dial_tone() -> None:
    async def story() -> None:
        town = Town()
        town.exchange.dead_lines.add("caller")
        town.dial("5550101")
        await asyncio.sleep(5)
        assert town.phone(town.caller).heard == []

    run(story())


@pytest.mark.parametrize("rate", [300, 1200, 2400, 9600, 33600, 57600, 115200])
def test_line_rate_holds_within_two_percent(rate: int) -> None:
    """Catches pacing that drifts with the timers' lateness, or that lets a burst through."""

    async def story() -> float:
        arrived: list[int] = []
        direction = Direction(rate, lambda data: arrived.append(len(data)), lambda: None)
        loop = asyncio.get_running_loop()
        began = loop.time()
        total = rate  # ten seconds' worth
        direction.write(bytes(total))
        while sum(arrived) < total:
            await asyncio.sleep(0.001)
        return total * BITS_PER_BYTE / (loop.time() - began)

    assert run(story()) == pytest.approx(rate, rel=0.02)


def test_line_rate_holds_in_real_time() -> None:
    """Catches pacing that is only right on a perfect clock: timers come late here."""

    async def story() -> float:
        arrived: list[int] = []
        direction = Direction(115200, lambda data: arrived.append(len(data)), lambda: None)
        loop = asyncio.get_running_loop()
        began = loop.time()
        direction.write(bytes(11520))
        while sum(arrived) < 11520:
            await asyncio.sleep(0.002)
        return 11520 * BITS_PER_BYTE / (loop.time() - began)

    assert asyncio.run(story()) == pytest.approx(115200, rel=0.02)


def test_sender_is_held_back_by_a_full_line_and_told_when_there_is_room() -> None:
    async def story() -> None:
        direction = Direction(9600, lambda data: None, lambda: None)
        assert direction.room(lambda: None)
        direction.write(bytes(5000))
        woken = asyncio.Event()
        assert not direction.room(woken.set)
        await asyncio.wait_for(woken.wait(), 10)

    run(story())


def test_stall_lets_nothing_through_for_its_time_and_loses_nothing() -> None:
    async def story() -> None:
        arrived = bytearray()
        direction = Direction(115200, arrived.extend, lambda: None)
        direction.stall(2.0)
        direction.write(b"late")
        await asyncio.sleep(1.9)
        assert not arrived
        await asyncio.sleep(0.2)
        assert arrived == b"late"

    run(story())


def test_bit_errors_come_at_about_the_rate_asked_for() -> None:
    async def story() -> int:
        arrived = bytearray()
        direction = Direction(None, arrived.extend, lambda: None)
        direction.faults.bit_error_rate = 0.01
        direction.write(bytes(10000))
        return sum(byte.bit_count() for byte in arrived)

    assert run(story()) == pytest.approx(800, rel=0.15)


def test_carrier_drops_after_the_bytes_asked_for() -> None:
    async def story() -> None:
        dropped: list[bool] = []
        direction = Direction(None, lambda data: None, lambda: dropped.append(True))
        direction.faults.drop_after = 10
        direction.write(b"12345")
        assert not dropped
        direction.write(b"67890")
        assert dropped

    run(story())
