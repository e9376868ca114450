"""Faults of PPP's control messages on a telephone line (see rig.drivers.faults), for the calls on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rig.drivers.faults.ppp_line import PppLine
from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Sent, Switchboard

Deliver = Callable[[bytes], None]


class FaultyDirection:
    """One direction of a call: what has come over the line is delivered by the rules. ``goes_on``: whether the call
    does, which may end before something late is due."""

    def __init__(self, switchboard: Switchboard, sender: Sender, deliver: Deliver, goes_on: Callable[[], bool]) -> None:
        self._line = PppLine(switchboard, sender)
        self._deliver = deliver
        self._goes_on = goes_on
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._pass(self._line.feed(data, now), now)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        self._pass(self._line.tick(now), now)

    def _pass(self, sent: Sent, now: float) -> None:
        loop = asyncio.get_running_loop()
        for when, data in sent:
            if when > now:
                loop.call_at(when, self._late, data)
        if together := b"".join(data for when, data in sent if when <= now):
            self._late(together)
        if self._timer is not None:
            self._timer.cancel()
        due = self._line.deadline
        self._timer = None if due is None else loop.call_at(due, self._tick)

    def _late(self, data: bytes) -> None:
        if self._goes_on():
            self._deliver(data)
