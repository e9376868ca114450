"""A person, or a script, talks to a modem: keys go there, what it says comes here, both are recorded."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable

from drivers.at import PROGRESS, Reader, Result
from drivers.errors import PortLostError
from drivers.interruptions import waiting
from drivers.serial_line import SerialLine
from rig.raw_terminal import raw_terminal

LEAVE = 0x1D
"""Ctrl-], as in telnet."""
ANSWER_SECONDS = 3.0
"""How long a script waits for the answer to each of its lines."""
PAUSE_SECONDS = 0.1
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
    """Each command when the one before has its result code, or has had ANSWER_SECONDS. Raises PortLostError."""
    for command in commands:
        data = command.rstrip("\r\n").encode("latin-1", "replace") + b"\r"
        record("to", data)
        line.write(data)
        reader, answered = Reader(), False
        end = time.monotonic() + ANSWER_SECONDS
        while not answered and (left := end - time.monotonic()) > 0:
            with waiting():
                ready, _, _ = select.select([line.fileno()], [], [], PAUSE_SECONDS if reader.undecided else left)
            said = _show(line) if ready else b""
            record("from", said)
            events = reader.feed(said) if ready else reader.idle()
            answered = any(isinstance(event, Result) and event.code not in PROGRESS for event in events)


def _show(line: SerialLine) -> bytes:
    try:
        data = os.read(line.fileno(), CHUNK)
    except BlockingIOError:
        return b""
    except OSError as error:
        raise PortLostError(f"{line.port}: {error.strerror}") from error
    if not data:
        raise PortLostError(f"{line.port}: the line was closed by the other side")
    os.write(1, data)
    return data
