"""C-Kermit: its DIAL, CONNECT and HANGUP. Its lock file of /dev/pts/0 is LCK..0, the name's last part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs.conftest import BUSY
from tests.programs.running import Running, running
from tests.programs.station import Station
from tests.unit.exchange_process import Town

PROMPT = r"\) C-Kermit>"
BACK = "\x1cc"


@contextmanager
def kermit(home: Path, port: str, watch: str) -> Iterator[Running]:
    """At its prompt, with a modem and a line. A modem of its type "usrobotics" is asked for what only those have."""
    with running(["kermit", "-Y"], environment={"HOME": str(home)}, directory=home) as program:
        program.shows(PROMPT)
        settings = ("modem type generic-high-speed", f"line {os.path.realpath(port)}", "speed 115200")
        for setting in (*settings, f"carrier-watch {watch}", "hints off"):
            command(program, f"set {setting}")
        yield program


def command(program: Running, text: str) -> None:
    program.type(f"{text}\r")
    program.shows(PROMPT)


def dial(program: Running, station: Station) -> None:
    """DIAL, and words both ways: an interactive DIAL goes on to CONNECT by itself."""
    program.type(f"dial {station.number}\r")
    program.shows("Call complete")
    program.shows("to see other options")
    program.takes_keys()
    station.answers()
    program.type("over the line\r")
    station.hears(b"over the line\r")
    station.say(b"and back\r\n")
    program.shows("and back")


def leave(program: Running) -> None:
    program.type("exit\r")
    assert program.ends() == 0


def test_a_call_and_its_end(port: str, station: Station, town: Town, home: Path) -> None:
    """HANGUP lowers DTR, which a pty has not, and then says +++ and ATH (set modem hangup-method)."""
    with kermit(home, port, "off") as program:
        dial(program, station)
        program.type(BACK)
        program.shows(PROMPT)
        command(program, "hangup")
        assert station.is_hung_up()
        assert town.control.ask("calls") == []
        leave(program)


def test_a_busy_number_is_told(port: str, home: Path) -> None:
    with kermit(home, port, "off") as program:
        program.type(f"set dial retries 0\rdial {BUSY}\r")
        program.shows("BUSY|busy")
        program.shows(PROMPT)
        leave(program)


def test_the_far_ends_hanging_up_is_read_and_the_line_stays(port: str, station: Station, home: Path) -> None:
    with kermit(home, port, "off") as program:
        dial(program, station)
        station.close()
        program.shows("NO CARRIER")
        program.type("AT\r")
        program.shows("OK")
        program.type(BACK)
        program.shows(PROMPT)
        leave(program)


def test_with_carrier_watch_auto_the_line_goes_and_has_to_be_set_anew(port: str, station: Station, home: Path) -> None:
    """The opposite, and Kermit's default: it clears CLOCAL behind CONNECT, and loses the pty with the carrier."""
    with kermit(home, port, "auto") as program:
        before = os.path.realpath(port)
        dial(program, station)
        station.close()
        program.shows("Communications disconnect")
        program.shows(PROMPT)
        assert os.path.realpath(port) != before
        program.type(f"set line {os.path.realpath(port)}\r")
        program.shows("OK to close?")
        command(program, "yes")
        program.type(f"dial {BUSY}\r")
        program.shows("BUSY|busy")
        program.shows(PROMPT)
        command(program, "set exit warning off")
        leave(program)
