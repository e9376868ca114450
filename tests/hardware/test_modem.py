"""What only a real modem can show. ``make hardware`` runs these with the conformance tests on the same bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.config import profiles
from tests.polling import wait_until

if TYPE_CHECKING:
    from rig.drivers.serial.serial_line import SerialLine
    from rig.fixtures.line import Call, Line, Session


@pytest.fixture
def line_with_carrier_detect(modem: Line) -> SerialLine:
    if modem.near.link.profile is not None and modem.near.link.profile.direct:
        pytest.skip("a null-modem cable has no call for DCD to follow")
    line = modem.near.modem.line
    if line.carrier is None:
        pytest.skip(f"{line.port} has no modem-control lines")
    return line


def test_a_profile_knows_the_modem(modem: Line) -> None:
    """Catches a modem that is driven by the generic profile; rig detect --suggest prints a beginning of its own."""
    assert modem.near.link.profile is not None
    assert modem.near.link.profile.name != profiles.GENERIC


def test_dcd_follows_the_call(line_with_carrier_detect: SerialLine, modem: Line) -> None:
    """Catches &C0, and a cable without pin 8 (CD of a nine-pin one: pin 1). DCD sends no event to who does not wait for
    it in the kernel."""
    line = line_with_carrier_detect
    assert line.carrier is False
    modem.call()
    wait_until(lambda: line.carrier is True, 2, "DCD on")
    modem.near.modem.escape()
    modem.near.modem.hang_up()
    wait_until(lambda: line.carrier is False, 5, "DCD off")


def test_dtr_drop_hangs_up(line_with_carrier_detect: SerialLine, call: Call) -> None:
    """Catches &D0, and a cable without pin 20 (DTR of a nine-pin one: pin 4): the call would go on, and cost."""
    line_with_carrier_detect.hang_up()
    wait_until(lambda: line_with_carrier_detect.carrier is False, 5, "DCD off")
    assert call.line.command("AT") == []


def test_session_holds_for_a_minute(session: Session) -> None:
    """Catches a line that trains and then falls."""
    assert not session.line.near.session.wait_end(60)
