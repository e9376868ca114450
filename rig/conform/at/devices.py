"""What is held to it: the modem at a port, a program that plays one, or a soft modem of the rig's own."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rig.conform.at.talker import Talker
from rig.conform.at.tester import Numbers, Tester
from rig.conform.program import checked, running
from rig.drivers.serial.serial_line import SerialLine
from rig.parts.exchange import switch
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.switch import Entry, Plan
from rig.run.control import Control
from rig.run.process import PartnerProcess

BUSY, SILENT = "555-0100", "555-0101"
INSTANT = Timing(rate=None, setup=0, ring_every=0.3, training=0, patience=30)
INSTANT_CONNECT_SECONDS = 5.0


class PortDevice:
    """The modem at ``port``; ``other``: at the port of the one that it calls, if there is one. One case at a time."""

    at_once = 1

    def __init__(
        self,
        port: SerialLine,
        other: SerialLine | None,
        numbers: Numbers,
        answer_seconds: float,
        connect_seconds: float,
    ) -> None:
        self._port = port
        self._other = other
        self._numbers = numbers
        self._answer_seconds = answer_seconds
        self._connect_seconds = connect_seconds

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        modem = _at(self._port, self._answer_seconds)
        other = _at(self._other, self._answer_seconds, "the other modem: ") if self._other is not None else None
        modem.reset()
        if other is not None:
            other.reset()
        yield Tester(modem, other, self._numbers, self._connect_seconds)


class ProgramDevice:
    """A program that answers commands on a terminal: ``words``, with ``{port}`` for its path. It has no line."""

    at_once = 6

    def __init__(self, words: Sequence[str], answer_seconds: float) -> None:
        checked(words)
        self._words = words
        self._answer_seconds = answer_seconds

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        with running(self._words) as own:
            modem = Talker(own.descriptor, self._answer_seconds)
            modem.in_step()
            yield Tester(modem, None, Numbers(), 0.0)


class SoftModems:
    """A soft modem of a ``make`` (a profile's name; "" for the rig's own) for each case, and another one for it to
    call, on the lines of an exchange."""

    at_once = 16

    def __init__(self, exchange: Control, make: str, answer_seconds: float) -> None:
        self._make = make
        self._answer_seconds = answer_seconds
        self._lines = itertools.count(1)
        self._exchange = exchange

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Tester]:
        line = next(self._lines)
        numbers = Numbers(f"555-{2000 + line}", f"555-{6000 + line}", BUSY, SILENT)
        with (
            self._modem(f"device-{line}", numbers.own, self._make) as port,
            self._modem(f"other-{line}", numbers.partner, "") as other,
            PortDevice(port, other, numbers, self._answer_seconds, INSTANT_CONNECT_SECONDS).fresh() as tester,
        ):
            yield tester

    @contextlib.contextmanager
    def _modem(self, name: str, number: str, make: str) -> Iterator[SerialLine]:
        port = self._exchange.ask("install", name=name, number=number, make=make)
        try:
            with SerialLine(port, rtscts=False) as line:
                yield line
        finally:
            self._exchange.ask("remove", name=name)


@contextlib.contextmanager
def soft_modems(make: str, answer_seconds: float) -> Iterator[SoftModems]:
    """Them, and an instant exchange of their own, which needs neither root nor a lab."""
    with tempfile.TemporaryDirectory(prefix="rig-at-") as name:
        plan = Plan(INSTANT, (Entry(BUSY, "busy"), Entry(SILENT, "no-answer")), Path(name))
        process = PartnerProcess("exchange", switch.main, (plan,), Path(name) / "exchange.log")
        try:
            process.wait_ready()
            yield SoftModems(Control(plan.control_path), make, answer_seconds)
        finally:
            process.stop()


def _at(line: SerialLine, answer_seconds: float, who: str = "") -> Talker:
    line.ignore_carrier()
    line.discard_input()
    return Talker(line.fileno(), answer_seconds, line, who)
