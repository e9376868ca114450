"""The line's own time, which passes block by block: in step with the world's, or as fast as the machine can."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable

from rig.drivers.sound.samples import SECONDS

_log = logging.getLogger("exchange")
LATE_SECONDS = 0.5
"""So far behind the world's time is too late to be caught up with: a machine that cannot do it in real time says so."""


class Timer:
    """What is to be called; see loop.Handle."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self._call = None

    def run(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class LineClock:
    """See loop.Clock. ``hurry``: while there is sound, a block follows the other as soon as it is made; else, and while
    there is none, the time is the world's. ``late``: how often a block came too late for real time. ``beat``: what each
    block is waited for instead, where there is something with a pace of its own; ``waits``: whether it is somebody's
    turn who has the world's time, as who answers a telephone has, so that there is no hurry."""

    def __init__(self, *, hurry: bool) -> None:
        self.late = 0
        self.beat: Callable[[], Awaitable[None]] | None = None
        self.waits: Callable[[], bool] = lambda: False
        self._hurry = hurry
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time()
        self._behind = 0.0  # what the world's clock shows when this one shows 0
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._changed = asyncio.Event()
        self._sounding = False

    def time(self) -> float:
        return self._now if self._sounding else max(self._now, self._loop.time() - self._behind)

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> Timer:
        timer = Timer(lambda: callback(*args))
        heapq.heappush(self._timers, (when, next(self._count), timer))
        self._changed.set()
        return timer

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Timer:
        return self.call_at(self.time() + delay, callback, *args)

    def wake(self) -> None:
        """There may be sound now."""
        self._changed.set()

    async def run(self, block: Callable[[], bool]) -> None:
        """For ever: ``block`` makes one, and says whether there was any sound; timers run when they are due."""
        while True:
            self._sounding = block()
            await self._pass()
            while self._timers and self._timers[0][0] <= self._now:
                heapq.heappop(self._timers)[2].run()

    async def _pass(self) -> None:
        if self.beat is not None or (self._sounding and self._hurry and not self.waits()):
            self._now += SECONDS
            self._behind = self._loop.time() - self._now
            await (asyncio.sleep(0) if self.beat is None else self.beat())
            return
        if self._sounding:
            self._now += SECONDS
            wait = self._now + self._behind - self._loop.time()
            if wait < -LATE_SECONDS:
                self.late += 1
                _log.warning("the line's sound came %.1f s too late: this machine cannot make it in real time", -wait)
                self._behind -= wait
            await asyncio.sleep(max(0.0, wait))
            return
        due = self._timers[0][0] + self._behind - self._loop.time() if self._timers else None
        self._changed.clear()
        if due is None or due > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), due)
        self._now = self.time()
