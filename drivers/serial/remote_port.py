"""A serial port that is reached by a pyserial URL, as a pseudo-terminal of this machine.

pppd, and everything else that wants a terminal, can use it then. What the far side's lines say is carried as
far as a pty can carry it: loss of DCD closes the master, which hangs up whoever has the slave.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Iterator

import serial

from rig.drivers.net.home_network import at_home
from rig.drivers.serial.terminal_server import open_port

POLL_SECONDS = 0.05
"""How often the far side's DCD is looked at, and how late the end of a connection is noticed."""
CHUNK = 4096


class RemotePort:
    """Open from construction to :meth:`close`. ``tty`` is the pty's path; ``lacking``: what its server does not do.
    Raises NoModemError."""

    def __init__(self, url: str, speed: int, *, rtscts: bool) -> None:
        with at_home():  # a namespace of the run's has no way to the server
            self._remote, self.lacking = open_port(url, speed, rtscts=rtscts, timeout=POLL_SECONDS)
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.tty = os.ttyname(slave)
        os.close(slave)
        self._closing = threading.Event()
        self._one_writer = threading.Lock()
        self._threads = [
            threading.Thread(target=run, name=f"{url} {name}", daemon=True)
            for name, run in (("in", self._inward), ("out", self._outward))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def open(self) -> bool:
        """Whether the connection is still there."""
        return not self._closing.is_set()

    @property
    def carrier(self) -> bool | None:
        """DCD at the far side; None where it cannot be asked."""
        try:
            return bool(self._remote.cd)
        except (serial.SerialException, OSError, NotImplementedError, AttributeError):
            return None

    @property
    def clear_to_send(self) -> bool | None:
        """CTS at the far side; None where it cannot be asked."""
        try:
            return bool(self._remote.cts)
        except (serial.SerialException, OSError, NotImplementedError, AttributeError):
            return None

    def set_speed(self, speed: int) -> None:
        """Have the far side's port at so many bit/s. Raises SerialException."""
        with _refusals():
            self._remote.baudrate = speed

    def set_flow_control(self, on: bool) -> None:
        """Have the far side's port use RTS and CTS, or not. Raises SerialException."""
        with _refusals():
            self._remote.rtscts = on

    def set_dtr(self, on: bool) -> None:
        """Raise or drop DTR at the far side. Raises SerialException."""
        with _refusals():
            self._remote.dtr = on

    def close(self) -> None:
        """End the connection; its own server drops DTR."""
        self._closing.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2)
        held = getattr(self._remote, "_socket", None)
        with contextlib.suppress(serial.SerialException, OSError):
            self._remote.close()
        if held is not None:
            held.close()  # pyserial 3.5 does not where the server has gone: its shutdown() fails before
        self._close_master()

    def _close_master(self) -> None:
        with self._one_writer:
            if self._master >= 0:
                os.close(self._master)
                self._master = -1

    def _hang_up(self) -> None:
        self._closing.set()
        self._close_master()

    def _inward(self) -> None:
        """From the far side to the pty, and a look at DCD."""
        had_carrier = False
        try:
            while not self._closing.is_set():
                data = self._remote.read(max(1, min(CHUNK, self._remote.in_waiting)))
                self._give(data)
                carrier = self.carrier
                if had_carrier and carrier is False:
                    break
                had_carrier = carrier is True
        except (serial.SerialException, OSError, AttributeError):  # AttributeError: closed within a read (pyserial)
            pass
        self._hang_up()

    def _give(self, data: bytes) -> None:
        while data and not self._closing.is_set():
            select.select([], [self._master], [], POLL_SECONDS)
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]

    def _outward(self) -> None:
        """From the pty to the far side."""
        while not self._closing.is_set():
            data = b""
            try:
                ready, _, _ = select.select([self._master], [], [], POLL_SECONDS)
                if ready:
                    data = os.read(self._master, CHUNK)
            except OSError:  # nobody has the slave open: which is no event, nor is its opening
                self._closing.wait(POLL_SECONDS / 2)
            except ValueError:  # the master was closed by the other thread
                return
            try:
                if data:
                    self._remote.write(data)
            except (serial.SerialException, OSError, AttributeError):  # what cannot be written is a line that is gone
                self._hang_up()


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """A setting that the server refuses is pyserial's ValueError, without a word of which port."""
    try:
        yield
    except ValueError as error:
        raise serial.SerialException(str(error)) from error
