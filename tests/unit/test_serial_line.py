"""A serial line on a real pty: what is written goes whole, and a port that takes nothing is said to."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
import serial

from rig.drivers.base import syscalls
from rig.drivers.base.errors import NoModemError, PortLostError
from rig.drivers.serial import serial_line
from rig.drivers.serial.serial_line import SerialLine


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """A pty's master, and the path of its terminal."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    yield master, path
    os.close(master)


def test_more_than_the_port_takes_at_once_is_written_whole(pty: tuple[int, str]) -> None:
    """Catches a write that gives up, or loses bytes, when the port is full in the middle of it."""
    master, path = pty
    every = bytes(range(256)) * 400
    with SerialLine(path) as line:
        came = bytearray()

        def read() -> None:
            while len(came) < len(every):
                came.extend(os.read(master, 1000))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        line.write(every)
        reader.join(10)
    assert bytes(came) == every


def test_a_port_that_is_closed_already_is_an_error_of_ours(pty: tuple[int, str]) -> None:
    line = SerialLine(pty[1])
    line.close()
    with pytest.raises(PortLostError, match=pty[1]):
        line.write(b"AT\r")


def test_a_port_that_takes_nothing_is_given_up_within_its_bound(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a write that waits for ever on a modem that holds its CTS off."""
    monkeypatch.setattr(serial_line, "WRITE_SECONDS", 0.2)
    began = time.monotonic()
    with SerialLine(pty[1]) as line, pytest.raises(PortLostError, match=r"has taken nothing for 0\.2 s"):
        line.write(bytes(1_000_000))
    assert time.monotonic() - began < 5


def test_a_line_that_is_hung_up_as_it_is_opened_is_no_modem(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a gateway's line that dies for good: the kernel says EIO where the terminal went between two calls."""
    real = serial.Serial.open

    def opened_and_hung_up(line: serial.Serial) -> None:
        real(line)
        syscalls.hang_up_terminal(line.fileno())

    monkeypatch.setattr(serial.Serial, "open", opened_and_hung_up)
    with pytest.raises(NoModemError, match="Input/output error"):
        SerialLine(pty[1], 9600)
