"""picocom: a number dialled by hand, words both ways, the far end's hanging up and its own."""

from __future__ import annotations

from tests.programs.conftest import NUMBER
from tests.programs.running import running
from tests.programs.station import Station
from tests.unit.exchange_process import Town

ESCAPE = "\x01"  # C-a


def test_a_call_by_hand_carries_words_both_ways_and_leaving_hangs_up(port: str, station: Station, town: Town) -> None:
    """Catches a port that a terminal program cannot open, and a call that outlives it."""
    with running(["picocom", "--baud", "115200", port]) as picocom:
        picocom.shows("Terminal ready")
        picocom.type(f"ATDT{NUMBER}\r")
        picocom.shows("CONNECT 115200")
        station.answers()
        picocom.type("over the line\r")
        station.hears(b"over the line\r")
        station.say(b"and back\r\n")
        picocom.shows("and back")
        picocom.type(ESCAPE + "\x18")  # C-x: leave
        assert picocom.ends() == 0
    assert station.is_hung_up()
    assert town.control.ask("calls") == []


def test_the_far_ends_hanging_up_is_told_and_the_next_call_can_be_made(port: str, station: Station) -> None:
    """picocom sets CLOCAL: it reads NO CARRIER and stays. Catches a port that is taken away under it."""
    with running(["picocom", "--baud", "115200", port]) as picocom:
        picocom.shows("Terminal ready")
        picocom.type(f"ATDT{NUMBER}\r")
        picocom.shows("CONNECT 115200")
        station.answers()
        station.close()
        picocom.shows("NO CARRIER")
        picocom.type("AT\r")
        picocom.shows("OK")


def test_leaving_without_a_reset_hangs_up_all_the_same_on_a_pty(port: str, station: Station) -> None:
    """C-q leaves the line as it is, DTR and call, on a real port; a pty's DTR is its being open."""
    with running(["picocom", "--baud", "115200", port]) as picocom:
        picocom.shows("Terminal ready")
        picocom.type(f"ATDT{NUMBER}\r")
        picocom.shows("CONNECT 115200")
        station.answers()
        picocom.type(ESCAPE + "\x11")
        picocom.shows("Skipping tty reset")
        assert picocom.ends() == 0
    assert station.is_hung_up()


def test_a_pulse_of_dtr_does_not_hang_up_on_a_pty_and_the_escape_does(port: str, station: Station) -> None:
    """What a pty has not: C-p changes nothing here, and is said to have failed. +++ and ATH do."""
    with running(["picocom", "--baud", "115200", port]) as picocom:
        picocom.shows("Terminal ready")
        picocom.type(f"ATDT{NUMBER}\r")
        picocom.shows("CONNECT 115200")
        station.answers()
        picocom.type(ESCAPE + "\x10")
        picocom.shows("FAILED")
        assert not station.is_hung_up(1.5)  # which is also the silence that an escape needs
        picocom.type("+++")
        picocom.shows("OK")
        picocom.type("ATH\r")
        picocom.shows("OK")
        assert station.is_hung_up()
