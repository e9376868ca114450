"""A number to dial is a type: what no modem would take is none."""

from __future__ import annotations

import pytest

from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("1-800-555-0100", "18005550100"),
        ("(800) 555.0100", "8005550100"),
        ("9,W1800;", "9,W1800;"),
        ("*70#", "*70#"),
        (" 5550100\n", "5550100"),
        ("t5550100@", "t5550100@"),
    ],
)
def test_what_makes_it_readable_is_not_sent(written: str, sent: str) -> None:
    assert Number(written) == written.strip()
    assert Number(written).dial_string == sent


@pytest.mark.parametrize("written", ["", " ", "home", "555\r0100", "1" * 65, "555\n0100", "\uff15\uff15\uff15"])
def test_what_no_modem_would_take_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="is not a number to dial"):
        Number(written)
