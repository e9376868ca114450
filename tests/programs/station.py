"""The other end of a call, in a test's own hands: a modem on a line of the exchange, and what is said over it."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
import tty
from collections.abc import Iterator

from tests.unit.exchange_process import Town

SECONDS = 20.0


class HungUpError(AssertionError):
    """The line is gone, as by loss of DCD."""


class Station:
    """Holds the port open, so that DTR is on: ``descriptor``. ``port`` is its path."""

    def __init__(self, name: str, port: str, number: str) -> None:
        self.name = name
        self.port = port
        self.number = number
        self.heard = b""
        self.descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.descriptor)
        attributes = termios.tcgetattr(self.descriptor)
        attributes[2] &= ~termios.CLOCAL
        termios.tcsetattr(self.descriptor, termios.TCSANOW, attributes)

    def say(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.descriptor, data) :]

    def hears(self, wanted: bytes, seconds: float = SECONDS) -> bytes:
        """Wait until it has arrived; all that has arrived since the last time, up to and with it."""
        bound = time.monotonic() + seconds
        while wanted not in self.heard:
            if not select.select([self.descriptor], [], [], max(0.0, bound - time.monotonic()))[0]:
                raise AssertionError(f"waited {seconds:g} s for {wanted!r}; {self.heard!r} came")
            self._read()
        before, _, self.heard = self.heard.partition(wanted)
        return before + wanted

    def _read(self) -> None:
        try:
            data = os.read(self.descriptor, 4096)
        except OSError:
            data = b""
        if not data:
            raise HungUpError(f"hung up; {self.heard!r} had come")
        self.heard += data

    def is_hung_up(self, seconds: float = SECONDS) -> bool:
        """Whether the line goes within so many seconds."""
        bound = time.monotonic() + seconds
        with contextlib.suppress(HungUpError):
            while select.select([self.descriptor], [], [], max(0.0, bound - time.monotonic()))[0]:
                self._read()
            return False
        return True

    def answers(self, seconds: float = SECONDS) -> None:
        """The call is connected: from now on what is said goes to the caller."""
        self.hears(b"CONNECT 115200\r\n", seconds)

    def close(self) -> None:
        """DTR off, which hangs up."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@contextlib.contextmanager
def answering(town: Town, number: str) -> Iterator[Station]:
    """A modem that answers at the first ring."""
    with town.modem(number=number) as (name, port):
        station = Station(name, port, number)
        try:
            station.say(b"ATE0Q0V1S0=1S10=1\r")
            station.hears(b"OK\r\n")
            yield station
        finally:
            station.close()


@contextlib.contextmanager
def calling(town: Town, number: str) -> Iterator[Station]:
    """A modem that has called a number; CONNECT is still to come."""
    with town.modem() as (name, port):
        station = Station(name, port, "")
        try:
            station.say(b"ATE0S10=1\r")
            station.hears(b"OK\r\n")
            station.say(b"ATDT%s\r" % number.encode())
            yield station
        finally:
            station.close()
