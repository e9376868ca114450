"""One serial port of a USB modem of software, with DTR, RTS, DCD, DSR and RI as real lines.

Two things that FunctionFS and dummy_hcd ask for: neither side ends a transfer of whole packets by an empty one,
so what comes is read packet by packet, and what goes is never a whole number of packets; and a notification that
nobody asks for stays queued, so none is sent while the port is closed.
"""

from __future__ import annotations

import asyncio
import errno
import struct

from rig.drivers.base.aio import AsyncFiles, Reads
from rig.parts.exchange.terminal import Dce

PACKET = 512
LARGEST_WRITE = 16 * PACKET - 1
READS = 24
"""Packets that the host may send before we look."""
WRITES = 4
RING_SECONDS = 0.4
"""How long RI is on for a ring."""
_DCD, _DSR, _RI = 1, 2, 8


class UsbTerminal:
    """See terminal.Terminal. ``notifications``: the file for the state of the lines, None where there are none;
    ``data``: those for data to the host and from it; ``interface``: the number that notifications bear."""

    def __init__(
        self, files: AsyncFiles, notifications: int | None, data: tuple[int, int], interface: int, modem: Dce
    ) -> None:
        self.line_coding = struct.pack("<IBBB", 115200, 0, 0, 8)
        self._modem = modem
        self._interface = interface
        self._files = files
        self._notifications = notifications
        self._to_host, from_host = data
        self._reads = Reads(files, from_host, PACKET, READS, self._received)
        self._writes = 0
        self._out = bytearray()
        self._held = b""
        self._enabled = self._dtr = False
        self._carrier = self._ringing = False
        self._told: int | None = None
        self._notifying = False
        self._ring_end: asyncio.TimerHandle | None = None
        modem.set_dtr(False)

    def close(self) -> None:
        """Nothing comes or goes any more; the port itself goes with its device."""
        self._enabled = False
        if self._ring_end is not None:
            self._ring_end.cancel()

    def enable(self) -> None:
        """The host has chosen the configuration."""
        self._enabled = True
        self._told = None
        self._reads.resume()

    def disable(self) -> None:
        """Unplugged, or the host lets go."""
        self._enabled = False
        self._out.clear()
        self._held = b""
        self.set_dtr(False)

    def set_dtr(self, on: bool) -> None:
        """The host raised or dropped DTR."""
        if on == self._dtr:
            return
        self._dtr = on
        if not on:
            self._out.clear()
            self._told = None
        self._modem.set_dtr(on)
        self._notify()

    # --- from the host -----------------------------------------------------------------------------------------

    def _received(self, results: list[int], data: bytes) -> None:
        self._held += data
        if -errno.ESHUTDOWN not in results:  # unplugged, or the host has not begun
            self.resume()

    def resume(self) -> None:
        if self._held and self._modem.takes_more():
            data, self._held = self._held, b""
            self._modem.from_dte(data)
        if self._enabled and not self._held:
            self._reads.resume()

    # --- to the host -------------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        return len(self._out)

    def write(self, data: bytes) -> None:
        if self._dtr:
            self._out += data
            self._fill_writes()

    def _fill_writes(self) -> None:
        while self._enabled and self._out and self._writes < WRITES:
            size = min(len(self._out), LARGEST_WRITE)
            if size % PACKET == 0:
                size -= 1
            chunk = bytes(self._out[:size])
            del self._out[:size]
            self._writes += 1
            self._files.write(self._to_host, chunk, self._written)

    def _written(self, _result: int) -> None:
        self._writes -= 1
        self._fill_writes()
        self._modem.drained()

    # --- lines -------------------------------------------------------------------------------------------------

    def carrier(self, on: bool, *, lost: bool) -> None:
        self._carrier = on
        self._notify()

    def ring(self) -> None:
        self._ringing = True
        self._notify()
        self._ring_end = asyncio.get_running_loop().call_later(RING_SECONDS, self._stop_ringing)

    def _stop_ringing(self) -> None:
        self._ringing = False
        self._notify()

    def sample(self) -> None:
        """DTR is told by the host, in its own requests."""

    def _notify(self) -> None:
        """SERIAL_STATE (PSTN subclass §6.5.4), one at a time, the newest state last."""
        state = _DSR | (_DCD if self._carrier else 0) | (_RI if self._ringing else 0)
        if self._notifications is None or not self._dtr or self._notifying or state == self._told or not self._enabled:
            return
        self._told, self._notifying = state, True
        message = struct.pack("<BBHHHH", 0xA1, 0x20, 0, self._interface, 2, state)
        self._files.write(self._notifications, message, self._notified)

    def _notified(self, _result: int) -> None:
        self._notifying = False
        self._notify()
