"""All of a session over a call by sound: PPP, PAP and the fence at 2,400 bit/s. Run with --bench analogue."""

from __future__ import annotations

import wave
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rig.checks import every
from rig.config.destinations import HTTPS
from rig.drivers.base.errors import NoCarrierError
from rig.drivers.sound.samples import RATE
from rig.paths.up import direct
from tests.lab.test_dial_command import run_rig

if TYPE_CHECKING:
    from rig.fixtures.line import Faults, Line, Session

SERVER = IPv4Address("129.42.160.48")
TRAINED_SECONDS = 30.0


@pytest.mark.paper("2.1.1", "3.1")
def test_every_check_holds_over_it(session: Session) -> None:
    results = [result for check in every.for_way("modem") for result in check(session.surroundings)]
    assert len(results) == 15
    assert [result.line() for result in results if result.held is not True] == []


@pytest.mark.paper("2.1.1")
@pytest.mark.parametrize("rate", [2400, 1200])
def test_a_session_lives_through_a_retrain(session: Session, exchange: Faults, rate: int) -> None:
    exchange.retrain(rate)
    direct(session.way.namespace, SERVER, HTTPS, TRAINED_SECONDS).close()
    assert session.running
    signal = exchange.signal()
    assert (signal["phase"], signal["rate"]) == ("data", rate)


@pytest.mark.paper("2.1.1")
def test_a_session_lives_through_a_cut_that_is_shorter_than_s10(session: Session, exchange: Faults) -> None:
    exchange.interrupt(400)
    direct(session.way.namespace, SERVER, HTTPS, TRAINED_SECONDS).close()
    assert session.running


@pytest.mark.paper("2.1.1")
def test_a_cut_that_is_longer_ends_it(session: Session, exchange: Faults) -> None:
    exchange.interrupt(20_000)
    assert session.line.near.session.wait_end(TRAINED_SECONDS)


@pytest.mark.paper("2.1.1")
def test_a_number_whose_answer_is_no_modem_is_no_carrier(modem: Line) -> None:
    with pytest.raises(NoCarrierError):
        modem.call("1-800-555-0103")


def test_the_report_has_the_sound_and_none_of_what_was_said(tmp_path: Path) -> None:
    """Catches a capture from which whoever gets the report demodulates the password."""
    said = run_rig("dial", "--number", "1-800-555-0100", "--bench", "analogue", "--report", str(tmp_path))
    assert said.returncode == 0, said.stderr
    page = (tmp_path / "report.html").read_text()
    assert "What the line sounded like" in page
    assert page.count("data:image/png;base64,") == 2
    with wave.open(str(tmp_path / "call.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    spoken = np.flatnonzero(np.abs(sound).max(axis=1))
    assert spoken[-1] > 8 * RATE, "dialling, answer tone and training are there"
    assert len(sound) > spoken[-1] + 10 * RATE, "the session is not"
