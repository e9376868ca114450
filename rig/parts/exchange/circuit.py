"""A connected call's two directions: bytes at the line's rate, in order, with the faults asked for.

A direction is a clock that says when the line is free again. Chunks of about ten milliseconds leave when
the clock says so, however late the host's timers are, so the rate holds over any length.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

BITS_PER_BYTE = 10
"""Start, eight data and stop bits: what a rate in bit/s means to the terminals at both ends."""
SLOT_SECONDS = 0.01
HIGH_WATER = 4096
"""Bytes under way in one direction at which the sender is held back, as V.42 would."""


@dataclass
class Faults:
    """What is wrong with a direction. ``drop_after``: bytes after which the carrier goes."""

    bit_error_rate: float = 0.0
    drop_after: int | None = None


class Direction:
    """One direction of a circuit. ``deliver`` takes the bytes at the far side."""

    def __init__(self, rate: int | None, deliver: Callable[[bytes], None], on_drop: Callable[[], None]) -> None:
        self.rate = rate
        self.faults = Faults()
        self.carried = 0
        self._deliver = deliver
        self._on_drop = on_drop
        self._queue = bytearray()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._held = False
        self._on_room: Callable[[], None] | None = None
        self._random = random.Random(0)  # noqa: S311 - errors that come again at the same bits

    def write(self, data: bytes) -> None:
        """Put bytes on the line; never refuses, see :meth:`room`."""
        self._queue += data
        self._schedule()

    def room(self, when: Callable[[], None]) -> bool:
        """Whether more may be written now; if not, ``when`` is called once as soon as it may."""
        if len(self._queue) < HIGH_WATER:
            return True
        self._on_room = when
        return False

    def hold(self, on: bool) -> None:
        """The far side's terminal takes no more (on), or takes again."""
        self._held = on
        if not on:
            self._schedule()

    def stall(self, seconds: float) -> None:
        """Let nothing through for a while, as retraining does."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + seconds
        if self.rate is None:
            asyncio.get_running_loop().call_at(self._free_at, self._schedule)

    def close(self) -> None:
        self._queue.clear()
        self._held = True
        self._on_room = None
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._timer is not None or self._held or not self._queue:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self.rate is None:
            if now < self._free_at:
                return
            chunk = bytes(self._queue)
            self._queue.clear()
            self._pass(chunk)
            return
        self._send_chunk(max(self._free_at, now))

    def _send_chunk(self, start: float) -> None:
        """Have the next chunk arrive when the line, free from ``start`` on, has carried it."""
        assert self.rate is not None
        per_second = self.rate / BITS_PER_BYTE
        size = max(1, min(len(self._queue), int(per_second * SLOT_SECONDS)))
        self._free_at = start + size / per_second
        self._timer = asyncio.get_running_loop().call_at(self._free_at, self._arrive, size)

    def _arrive(self, size: int) -> None:
        self._timer = None
        chunk = bytes(self._queue[:size])
        del self._queue[:size]
        if self._queue and not self._held:
            self._send_chunk(self._free_at)  # from when this one should have arrived, not from when it was noticed
        self._pass(chunk)

    def _pass(self, chunk: bytes) -> None:
        self.carried += len(chunk)
        if self.faults.bit_error_rate:
            chunk = self._with_errors(chunk)
        self._deliver(chunk)
        if self.faults.drop_after is not None and self.carried >= self.faults.drop_after:
            self.faults.drop_after = None
            self._on_drop()
            return
        if self._on_room and len(self._queue) < HIGH_WATER:
            wake, self._on_room = self._on_room, None
            wake()

    def _with_errors(self, chunk: bytes) -> bytes:
        damaged = bytearray(chunk)
        for position in range(len(damaged)):
            for bit in range(8):
                if self._random.random() < self.faults.bit_error_rate:
                    damaged[position] ^= 1 << bit
        return bytes(damaged)
