"""``rig conform at`` on a modem with circuits: DCD, DTR and RI as a USB modem has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.conform.at.tester import Numbers
from rig.drivers.serial.ports import await_port
from rig.jobs.conform_at import AtPlan, run_at
from rig.run.progress import Progress

if TYPE_CHECKING:
    from rig.parts.rack import FarEnd

OWN, OTHER = "555-0187", "555-0188"
CASES = ("1.1", "2", "8", "9.1", "10.1", "10.3", "11.1", "11.2", "12")
"""What passes over the same engine at a pseudo-terminal (tests/unit) is not all done again here."""


CIRCUITS = [f"12.{number}" for number in range(1, 7)]


@pytest.fixture
def plan(far_end: FarEnd) -> Iterator[AtPlan]:
    """A USB modem, and another one for it to call."""
    exchange = far_end.exchange
    where = exchange.ask("install", name="own", number=OWN, make="multitech-mt9234zba-usb", bus="usb")
    other = exchange.ask("install", name="other", number=OTHER)
    yield AtPlan(await_port(where, 20).device, 115200, other, Numbers(OTHER, OWN), cases=CASES, answer=3, connect=30)
    for name in ("own", "other"):
        exchange.ask("remove", name=name)


def test_a_usb_modem_passes_what_only_circuits_can_show(plan: AtPlan) -> None:
    verdict = run_at(plan, Progress(verbose=False, quiet=True))
    assert [(check.name, check.expected, check.observed) for check in verdict.checks if not check.held] == []
    assert [check.name for check in verdict.checks if check.name.startswith("12.")] == CIRCUITS
