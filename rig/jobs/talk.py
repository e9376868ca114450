"""A person, or a script, talks to a modem: keys go there, what it says comes here, both are recorded."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Iterable

from rig.drivers.base.errors import ModemError, PortLostError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.syscalls import write_all
from rig.drivers.modem.call import places_call
from rig.drivers.modem.modem import DIAL_SECONDS, ESCAPE, Modem
from rig.drivers.serial.raw_terminal import raw_terminal
from rig.drivers.serial.serial_line import SerialLine

LEAVE = 0x1D
"""Ctrl-], as in telnet."""
ANSWER_SECONDS = 3.0
"""How long a script waits for the answer to each of its lines."""
CHUNK = 4096

Record = Callable[[str, bytes], None]


def talk(line: SerialLine, record: Record) -> None:
    """Keys to the modem, what it says to the screen, until Ctrl-]. Raises PortLostError."""
    with raw_terminal():
        while True:
            with waiting():
                ready, _, _ = select.select([line.fileno(), 0], [], [])
            if line.fileno() in ready:
                record("from", _show(line))
            if 0 in ready:
                keys = os.read(0, CHUNK)
                if LEAVE in keys or not keys:
                    return
                record("to", keys)
                line.write(keys)


def run_script(line: SerialLine, commands: Iterable[str], record: Record) -> None:
    """Each command when the one before has its result code, or has had its time: a call's is that of the far end, every
    other one's ANSWER_SECONDS. ``+++`` stands between silences and without CR. Raises PortLostError."""

    def heard(way: str, data: bytes) -> None:
        record(way, data)
        if way == "from":
            write_all(1, data)

    modem = Modem(line, heard=heard)
    for command in commands:
        text = command.rstrip("\r\n")
        with contextlib.suppress(ModemError):
            if text.strip() == ESCAPE:
                modem.escape()
            else:
                modem.say(text, DIAL_SECONDS if places_call(text) else ANSWER_SECONDS)


def _show(line: SerialLine) -> bytes:
    try:
        data = os.read(line.fileno(), CHUNK)
    except BlockingIOError:
        return b""
    except OSError as error:
        raise PortLostError(f"{line.port}: {error.strerror}") from error
    if not data:
        raise PortLostError(f"{line.port}: the line was closed by the other side")
    write_all(1, data)
    return data
