"""An exchange in its own process, with modems of any make on its lines: what the tests of ports and modems ask."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from rig.parts.exchange import switch
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.switch import Entry, Plan
from rig.run.control import Control
from rig.run.process import PartnerProcess

INSTANT = Timing(rate=None, setup=0, ring_every=0.3, training=0, patience=0.3)


class Town:
    """``control`` is the exchange's; ``plan`` says where its ports are."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.control = Control(plan.control_path)
        self._names = (f"line-{number}" for number in itertools.count())

    @contextlib.contextmanager
    def modem(self, make: str = "", *, number: str = "", answer_seconds: float = 0) -> Iterator[tuple[str, str]]:
        """A modem of a make on a line of its own: the line's name, and the path of its port."""
        name = next(self._names)
        port = self.control.ask("install", name=name, number=number, make=make)
        if answer_seconds:
            self.control.ask("answer_late", line=name, seconds=answer_seconds)
        try:
            yield name, port
        finally:
            self.control.ask("remove", name=name)


@contextlib.contextmanager
def exchange(folder: Path, *entries: Entry) -> Iterator[Town]:
    """The exchange, instant, until the block is over."""
    plan = Plan(INSTANT, entries, folder)
    process = PartnerProcess("exchange", switch.main, (plan,), folder / "exchange.log")
    try:
        process.wait_ready()
        yield Town(plan)
    finally:
        process.stop()
