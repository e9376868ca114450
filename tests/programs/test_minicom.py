"""minicom: its dialling, its hanging up, and runscript, by a configuration of one user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs.conftest import NUMBER
from tests.programs.running import Running, eventually, running, written
from tests.programs.station import Station
from tests.unit.exchange_process import Town

ESCAPE = "\x01"  # C-a
SETTINGS = {
    "baudrate": "115200", "rtscts": "No", "minit": "ATZ^M~", "mdialpre": "ATDT", "mdialsuf": "^M",
    "mconnect": "CONNECT", "mnocon1": "NO CARRIER", "mhangup": "~~+++~~ATH^M", "mdropdtr": "No",
}  # fmt: skip
SCRIPT = f"""
timeout 30
send ATDT{NUMBER}
expect {{
    "CONNECT" break
    "BUSY" exit 1
    timeout 20 exit 2
}}
send over the line
expect {{
    "and back" break
    timeout 20 exit 3
}}
! echo done > DONE
"""


@contextmanager
def minicom(home: Path, port: str, *words: str, **settings: str) -> Iterator[Running]:
    """With a configuration "rig" in the user's home, as its menu writes it."""
    lines = {"port": os.path.realpath(port), **SETTINGS, **settings}
    written(home, ".minirc.rig", "".join(f"pu {name} {value}\n" for name, value in lines.items()))
    with running(["minicom", *words, "rig"], environment={"HOME": str(home)}, directory=home) as program:
        program.shows("Welcome to minicom")
        yield program


def leave(program: Running) -> None:
    program.type(ESCAPE + "x")
    program.shows("Leave Minicom")
    program.type("\r")
    assert program.ends() == 0


def dial(program: Running, station: Station) -> None:
    """By hand, behind the answer to its initialization."""
    program.shows("OK")
    program.type(f"ATDT{NUMBER}\r")
    program.shows("CONNECT 115200")
    station.answers()


def hang_up(program: Running) -> None:
    program.type(ESCAPE + "h")
    program.shows("Hang-up line")
    program.type("\r")


def test_a_call_and_its_end(port: str, station: Station, town: Town, home: Path) -> None:
    """C-a h says +++ and ATH. Catches an escape that the modem does not take."""
    with minicom(home, port) as program:
        dial(program, station)
        program.type("over the line\r")
        station.hears(b"over the line\r")
        station.say(b"and back\r\n")
        program.shows("and back")
        hang_up(program)
        assert station.is_hung_up()
        assert town.control.ask("calls") == []
        leave(program)


def test_by_dropping_dtr_it_does_not_hang_up(port: str, station: Station, town: Town, home: Path) -> None:
    """The opposite, and minicom's default: a pty has no DTR to drop, and minicom says nothing of it."""
    with minicom(home, port, mdropdtr="Yes") as program:
        dial(program, station)
        hang_up(program)
        assert not station.is_hung_up(4)
        assert len(town.control.ask("calls")) == 1
        leave(program)
    assert station.is_hung_up()


def test_the_far_ends_hanging_up_is_told(port: str, station: Station, home: Path) -> None:
    """Also with hardware flow control, which a pty takes and does not do."""
    with minicom(home, port, rtscts="Yes") as program:
        dial(program, station)
        station.close()
        program.shows("NO CARRIER")
        leave(program)


def test_runscript_dials_and_waits_for_words(port: str, station: Station, home: Path) -> None:
    script = written(home, "call", SCRIPT.replace("DONE", str(home / "done")))
    with minicom(home, port, "-S", str(script)) as program:
        station.answers()
        station.hears(b"over the line\r")
        station.say(b"and back\r\n")
        eventually("the script's end", (home / "done").exists)
        leave(program)
