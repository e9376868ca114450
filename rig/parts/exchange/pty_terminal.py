"""A soft modem's port as a pseudo-terminal.

A pty has no modem-control lines. DTR off is shown by the slave being closed; loss of carrier is shown by
closing the master, which hangs up whoever has the slave, as DCD does on a real line. The link that names
the port then points to a new pty. A terminal that was told to ignore the modem's lines (CLOCAL, termios(3)), as
terminal programs do, stays: there NO CARRIER is read, and the modem is in command state.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import select
import termios
import tty
from pathlib import Path

from rig.parts.exchange.hayes import settings
from rig.parts.exchange.terminal import Dce

OUTPUT_SPEED = 5
"""Its place in what tcgetattr(3) gives."""
SPEEDS = {getattr(termios, f"B{speed}") for speed in settings.SPEEDS if speed}
CHUNK = 65536
"""Bytes taken or given at once: the kernel gives what there is, often several of a terminal's buffers of 4096."""


class Watcher:
    """Edge-triggered epoll within asyncio's loop.

    A pty master whose slave is closed is level-triggered "hung up" for ever; edges come only when something
    changes.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._terminals: dict[int, PtyTerminal] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._ready)

    def watch(self, descriptor: int, terminal: PtyTerminal) -> None:
        self._terminals[descriptor] = terminal
        self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP | select.EPOLLET)

    def forget(self, descriptor: int) -> None:
        del self._terminals[descriptor]
        self._epoll.unregister(descriptor)

    def _ready(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            terminal = self._terminals.get(descriptor)
            if terminal is not None:
                terminal.ready()


class PtyTerminal:
    """See terminal.Terminal. ``link`` is the path that names the port; ``device`` the slave it points to."""

    def __init__(self, modem: Dce, link: Path, watcher: Watcher) -> None:
        self.link = link
        self.device = ""
        self._modem = modem
        self._watcher = watcher
        self._out = bytearray()
        self._master = -1
        self._dtr = True
        self._open()

    def _open(self) -> None:
        """Make a pty and point the link at it, in one step for whoever opens it at this moment."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(slave)
        os.close(slave)  # DTR is off until somebody opens it
        fresh = self.link.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.device)
        fresh.replace(self.link)
        self._out.clear()
        self._hangup = select.poll()
        self._hangup.register(self._master, select.POLLHUP)
        self._watcher.watch(self._master, self)
        self._report_dtr(False)

    def close(self) -> None:
        self._watcher.forget(self._master)
        os.close(self._master)
        self.link.unlink(missing_ok=True)

    @property
    def pending(self) -> int:
        return len(self._out)

    def ready(self) -> None:
        """Something changed at the pty: bytes, room, or the slave was opened or closed."""
        self._flush()
        self.resume()

    def _is_open(self) -> bool:
        return not any(state & select.POLLHUP for _, state in self._hangup.poll(0))

    def _report_dtr(self, on: bool) -> None:
        if on != self._dtr:
            self._dtr = on
            self._modem.set_dtr(on)

    def sample(self) -> None:
        """Opening a pty raises DTR and signals nothing, so it is looked at when the line changes."""
        self._report_dtr(self._is_open())

    def resume(self) -> None:
        master = self._master
        while self._master == master and self._modem.takes_more():
            try:
                data = os.read(master, CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                self.sample()
                return
            self._report_dtr(True)
            if self._hears():
                self._modem.from_dte(data)
            if len(data) < CHUNK and self._is_open():
                return  # that was all; what comes after it is an event of its own. A closing may have come with it

    def _hears(self) -> bool:
        """Whether the port is at a speed that the modem can read: at another it hears noise, and says nothing."""
        return termios.tcgetattr(self._master)[OUTPUT_SPEED] in SPEEDS

    def write(self, data: bytes) -> None:
        if self._is_open():  # to nobody: a port that is closed keeps nothing for its next user
            self._out += data
            self._flush()

    def _flush(self) -> None:
        while self._out:
            try:
                written = os.write(self._master, memoryview(self._out)[:CHUNK])
            except BlockingIOError:
                break
            except OSError:
                self._out.clear()
                break
            del self._out[:written]
        self._modem.drained()

    def carrier(self, on: bool, *, lost: bool) -> None:
        if not on and lost and not self._ignores_lines():
            self._hang_up()

    def _ignores_lines(self) -> bool:
        """Whether the DTE has CLOCAL set: the kernel shows a master its slave's settings (tty_ioctl(4))."""
        return bool(termios.tcgetattr(self._master)[2] & termios.CLOCAL)

    def ring(self) -> None:
        """A pty has no RI."""

    def _hang_up(self) -> None:
        self._flush()
        old = self._master
        self._watcher.forget(old)
        self._open()
        os.close(old)
