"""A Hayes modem on a pseudo-terminal: the engine joined to a pty on one side and to the exchange on the other.

A pty has no modem-control lines. DTR off is shown by the slave being closed; loss of carrier is shown by
closing the master, which hangs up whoever has the slave, as DCD does on a real line. The link that names
the port then points to a new pty.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import pty
import select
import tty
from pathlib import Path

from drivers.profile import Profile
from rig.partners.exchange import Exchange, Subscriber
from rig.partners.hayes import Engine, Line, State
from rig.partners.hayes.events import (
    Carrier,
    DialComplete,
    Effect,
    Flash,
    OffHook,
    OnHook,
    SendDigits,
    ToDte,
    ToLine,
)

CHUNK = 4096
OUT_LIMIT = 16384
"""Bytes kept for a terminal that does not read; above it the far end is held back."""


class Watcher:
    """Edge-triggered epoll within asyncio's loop.

    A pty master whose slave is closed is level-triggered "hung up" for ever; edges come only when something
    changes.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._modems: dict[int, SoftModem] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._ready)

    def watch(self, descriptor: int, modem: SoftModem) -> None:
        self._modems[descriptor] = modem
        self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP | select.EPOLLET)

    def forget(self, descriptor: int) -> None:
        del self._modems[descriptor]
        self._epoll.unregister(descriptor)

    def _ready(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            modem = self._modems.get(descriptor)
            if modem is not None:
                modem.terminal_ready()


class SoftModem:
    """One emulated modem. ``link`` is the path that names its port; ``device`` the slave it points to."""

    def __init__(
        self,
        exchange: Exchange,
        line: Subscriber,
        link: Path,
        watcher: Watcher,
        profile: Profile | None = None,
    ) -> None:
        self.exchange = exchange
        self.line = line
        self.link = link
        self.engine = Engine(profile, instant=exchange.timing.rate is None)
        self._watcher = watcher
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._out = bytearray()
        self._input_held = False
        self._master = -1
        self._dtr = True
        self.answer_delay = self.engine.persona.answer_delay
        self._thinking = False
        line.telephone = self
        self._open()

    # --- the terminal's side -------------------------------------------------------------------------------

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
        self._watcher.watch(self._master, self)
        self._report_dtr(False)

    def close(self) -> None:
        self._watcher.forget(self._master)
        os.close(self._master)
        self.link.unlink(missing_ok=True)

    def terminal_ready(self) -> None:
        """Something changed at the pty: bytes, room, or the slave was opened or closed."""
        self._flush()
        self._read()

    def _terminal_open(self) -> bool:
        poller = select.poll()
        poller.register(self._master, select.POLLHUP)
        return not any(state & select.POLLHUP for _, state in poller.poll(0))

    def _report_dtr(self, on: bool) -> None:
        if on != self._dtr:
            self._dtr = on
            self._run(self.engine.set_dtr(on, self._loop.time()))

    def _sample_dtr(self) -> None:
        """Look at DTR now: opening a pty raises it and signals nothing."""
        self._report_dtr(self._terminal_open())

    def _read(self) -> None:
        master = self._master
        while self._master == master and not self._thinking:
            if self.engine.state is State.DATA and not self._line_has_room():
                return
            try:
                data = os.read(master, CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                self._sample_dtr()
                return
            self._report_dtr(True)
            if self.answer_delay and b"\r" in data and self.engine.state is State.COMMAND:
                self._thinking = True
                self._loop.call_later(self.answer_delay, self._answer, data)
            else:
                self._run(self.engine.from_dte(data, self._loop.time()))

    def _answer(self, data: bytes) -> None:
        """A command that took its time."""
        self._thinking = False
        self._run(self.engine.from_dte(data, self._loop.time()))
        self._read()

    def _line_has_room(self) -> bool:
        direction = self.line.call.outgoing(self.line) if self.line.call else None
        return direction is None or direction.room(self._read)

    def _flush(self) -> None:
        while self._out:
            try:
                written = os.write(self._master, self._out[:CHUNK])
            except BlockingIOError:
                break
            except OSError:
                self._out.clear()
                break
            del self._out[:written]
        if self._input_held and len(self._out) < OUT_LIMIT // 2:
            self._hold_line(False)

    def _hold_line(self, on: bool) -> None:
        self._input_held = on
        direction = self.line.call.incoming(self.line) if self.line.call else None
        if direction is not None:
            direction.hold(on)

    # --- the line's side -----------------------------------------------------------------------------------

    def line_event(self, event: Line, rate: int = 0) -> None:
        self._sample_dtr()
        self._run(self.engine.on_line(event, self._loop.time(), rate))
        self._loop.call_soon(self._read)  # what waited for room on a line that may be gone now

    def line_data(self, data: bytes) -> None:
        self._run(self.engine.from_line(data, self._loop.time()))
        if len(self._out) >= OUT_LIMIT and not self._input_held:
            self._hold_line(True)

    # --- effects -------------------------------------------------------------------------------------------

    def _run(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._do(effect)
        self._set_timer()

    def _do(self, effect: Effect) -> None:
        match effect:
            case ToDte(data):
                if self._terminal_open():  # to nobody: a port that is closed keeps nothing for its next user
                    self._out += data
                    self._flush()
            case ToLine(data):
                direction = self.line.call.outgoing(self.line) if self.line.call else None
                if direction is not None:
                    direction.write(data)
            case OffHook(answer):
                (self.exchange.answer if answer else self.exchange.off_hook)(self.line)
            case OnHook():
                self.exchange.on_hook(self.line)
            case SendDigits(digits):
                self.exchange.digits(self.line, digits)
            case DialComplete():
                self.exchange.dial_complete(self.line)
            case Carrier(on, lost):
                if lost and not on and self.engine.settings.options["&C"]:
                    self._hang_up_terminal()
            case Flash():
                pass

    def _hang_up_terminal(self) -> None:
        self._flush()
        old = self._master
        self._watcher.forget(old)
        self._open()
        os.close(old)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.engine.deadline
        if deadline is None:
            return
        if deadline <= self._loop.time():
            self._timer = self._loop.call_soon(self._tick)  # type: ignore[assignment]
        else:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        with contextlib.suppress(OSError):
            self._run(self.engine.tick(self._loop.time()))
