"""cu, of Taylor UUCP: on a port by hand, and by its own dialer.

Started as root it becomes uucp (unix/init.c), so that a port and /run/lock have to be open to that user, as ttys of
dialout and Debian's /run/lock are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs.conftest import BUSY, NUMBER
from tests.programs.running import Running, running, written
from tests.programs.station import Station
from tests.unit.exchange_process import Town

DIALER = r"""
dialer hayes
chat "" ATZ\r\c OK ATDT\T CONNECT
chat-timeout 20
chat-fail BUSY
chat-fail NO\sCARRIER
complete \d\d+++\d\dATH\r\c
"""


@contextmanager
def cu(home: Path, port: str, *words: str, settings: str = "", let_in: bool = True) -> Iterator[Running]:
    """With /etc/uucp of ours, and /run/lock as Debian has it. ``settings``: further ones of the port."""
    device = os.path.realpath(port)
    if let_in:
        shutil.chown(device, "uucp")
    described = f"port rig\ntype modem\ndevice {device}\nspeed 115200\ndialer hayes\n{settings}"
    for name, text in {"port": described, "dial": DIALER, "sys": ""}.items():
        written(home / "uucp", name, text, 0o644)
    (home / "lock").mkdir()
    (home / "lock").chmod(0o1777)
    with running(["cu", *words], folders={"/etc/uucp": home / "uucp", "/run/lock": home / "lock"}) as program:
        yield program


def connected(program: Running) -> None:
    """It says so before it has its terminal."""
    program.shows("Connected")
    program.takes_keys()


def converse(program: Running, station: Station) -> None:
    """Words both ways."""
    station.answers()
    program.type("over the line\r")
    station.hears(b"over the line\r")
    station.say(b"and back\r\n")
    program.shows("and back")


def test_a_call_by_hand_and_its_end(port: str, station: Station, town: Town, home: Path) -> None:
    """Catches a port that cu cannot take, and a call that outlives it."""
    with cu(home, port, "-l", os.path.realpath(port), "-s", "115200", "dir") as program:
        connected(program)
        program.type(f"ATDT{NUMBER}\r")
        program.shows("CONNECT 115200")
        converse(program, station)
        program.type("\r~.")
        program.shows("Disconnected")
        assert program.ends() == 0
    assert station.is_hung_up()
    assert town.control.ask("calls") == []


def test_the_far_ends_hanging_up_is_told_by_hand(port: str, station: Station, home: Path) -> None:
    """With "dir" cu sets CLOCAL: the line stays, and can dial again."""
    with cu(home, port, "-l", os.path.realpath(port), "dir") as program:
        connected(program)
        program.type(f"ATDT{NUMBER}\r")
        program.shows("CONNECT 115200")
        converse(program, station)
        station.close()
        program.shows("NO CARRIER")
        program.type("AT\r")
        program.shows("OK")


def test_a_call_by_its_own_dialer_and_its_end(port: str, station: Station, town: Town, home: Path) -> None:
    """chat of a dialer, as in its manual; "complete" hangs up with +++ and ATH."""
    with cu(home, port, "-p", "rig", NUMBER) as program:
        connected(program)
        converse(program, station)
        program.type("\r~.")
        program.shows("Disconnected")
        assert program.ends() == 0
    assert station.is_hung_up()
    assert town.control.ask("calls") == []


@pytest.mark.parametrize(
    ("number", "told"), [(BUSY, "BUSY"), ("555-9999", r"NO\\sCARRIER")], ids=["busy", "not in service"]
)
def test_a_call_that_comes_to_nothing_is_told(port: str, home: Path, number: str, told: str) -> None:
    with cu(home, port, "-p", "rig", number) as program:
        program.shows(f'Chat script failed: Got "{told}"')
        assert program.ends() != 0


def test_the_far_ends_hanging_up_ends_a_dialled_call(port: str, station: Station, home: Path) -> None:
    """By "carrier true", the default,, it clears CLOCAL at CONNECT, loses its line, and ends."""
    with cu(home, port, "-p", "rig", NUMBER) as program:
        connected(program)
        converse(program, station)
        station.close()
        program.shows("Got hangup signal")
        program.ends()


def test_with_carrier_false_the_line_stays(port: str, station: Station, home: Path) -> None:
    with cu(home, port, "-p", "rig", NUMBER, settings="carrier false\n") as program:
        connected(program)
        converse(program, station)
        station.close()
        program.shows("NO CARRIER")


def test_as_root_without_the_port_being_uucps_it_says_line_in_use(port: str, home: Path) -> None:
    """The opposite: a misleading message, by which the reason is looked for in vain."""
    with cu(home, port, "-l", os.path.realpath(port), "dir", let_in=False) as program:
        program.shows("Permission denied")
        program.shows("Line in use")
        assert program.ends() != 0
