"""A soft modem's port as a USB device: CDC-ACM (USB PSTN subclass 1.2), with DTR, RTS, DCD, DSR and RI as real lines.

The host's cdc_acm binds to it and makes a tty of it. Three things that FunctionFS and dummy_hcd ask for:
class-specific descriptors are refused, so cdc_acm is told by new_id to do without (its NO_UNION_NORMAL quirk);
neither side ends a transfer of whole packets by an empty one, so what comes is read packet by packet, and what
goes is never a whole number of packets; and a notification that nobody asks for stays queued, so none is sent
while the port is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import struct
from pathlib import Path

from drivers.aio import AsyncFiles, Reads
from drivers.gadget import Endpoint, Gadget, Interface, Strings
from rig.partners.terminal import Dce

PACKET = 512
LARGEST_WRITE = 16 * PACKET - 1
READS = 24
"""Packets that the host may send before we look: dummy_hcd moves them once in four milliseconds."""
WRITES = 4
RING_SECONDS = 0.4
"""How long RI is on for a ring."""

ACM = (
    Interface((2, 2, 1), (Endpoint(0x81, 3, 16, interval=4),)),
    Interface((10, 0, 0), (Endpoint(0x82, 2, PACKET), Endpoint(0x03, 2, PACKET))),
)
_CONTROL, _NOTIFY, _IN, _OUT = range(4)

_EVENT = struct.Struct("<BBHHHB3x")
"""linux/usb/functionfs.h: a control request, and the kind of event."""
_ENABLE, _DISABLE, _SETUP = 2, 3, 4
_SET_LINE_CODING, _GET_LINE_CODING, _SET_CONTROL_LINE_STATE, _SEND_BREAK = 0x20, 0x21, 0x22, 0x23
_DTR = 1
_DCD, _DSR, _RI = 1, 2, 8
_NEW_ID = Path("/sys/bus/usb/drivers/cdc_acm/new_id")


class UsbTerminal:
    """See terminal.Terminal. ``name``: the gadget's; ``who``: what the device says it is."""

    def __init__(self, modem: Dce, name: str, who: Strings) -> None:
        self.line_coding = struct.pack("<IBBB", 115200, 0, 0, 8)
        self._modem = modem
        self._who = who
        self._loop = asyncio.get_running_loop()
        self._gadget = Gadget(name, who, ACM)
        self._files = AsyncFiles()
        self._out = bytearray()
        self._reads = Reads(self._files, self._gadget.endpoints[_OUT], PACKET, READS, self._received)
        self._writes = 0
        self._held = b""
        self._enabled = self._dtr = False
        self._carrier = self._ringing = False
        self._told: int | None = None
        self._notifying = False
        self._ring_end: asyncio.TimerHandle | None = None
        os.set_blocking(self._gadget.endpoints[_CONTROL], False)
        self._loop.add_reader(self._gadget.endpoints[_CONTROL], self._control)
        # The quirk of 0572:1321, for any device whose interface is of class 2.
        _NEW_ID.write_text(f"{who.vendor} {who.product} 2 0572 1321")
        modem.set_dtr(False)
        self._gadget.plug_in()

    @property
    def device(self) -> str:
        """Where it is plugged in: udev knows the tty there."""
        return self._gadget.port_path

    def close(self) -> None:
        self._loop.remove_reader(self._gadget.endpoints[_CONTROL])
        if self._ring_end is not None:
            self._ring_end.cancel()
        self._gadget.unplug()
        self._files.close()
        self._gadget.remove()
        with contextlib.suppress(OSError):
            _NEW_ID.with_name("remove_id").write_text(f"{self._who.vendor} {self._who.product}")

    def unplug(self) -> None:
        """Pull the plug, and keep the modem."""
        self._gadget.unplug()

    def plug_in(self) -> None:
        """Put it in again."""
        self._gadget.plug_in()

    # --- endpoint 0 ------------------------------------------------------------------------------------------

    def _control(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._gadget.endpoints[_CONTROL], _EVENT.size * 4)
            for request_type, request, value, _index, length, kind in _EVENT.iter_unpack(data):
                if kind == _ENABLE:
                    self._enable()
                elif kind == _DISABLE:
                    self._disable()
                elif kind == _SETUP:
                    self._setup(request_type, request, value, length)

    def _setup(self, request_type: int, request: int, value: int, length: int) -> None:
        """A control request. The state is changed before it is acknowledged: who asked acts on it at once."""
        control = self._gadget.endpoints[_CONTROL]
        to_host = bool(request_type & 0x80)
        with contextlib.suppress(OSError):  # the host gave up, or is gone
            if request == _GET_LINE_CODING and to_host:
                os.write(control, self.line_coding[:length])
            elif request == _SET_LINE_CODING and not to_host:
                self.line_coding = os.read(control, length)
            elif request in (_SET_CONTROL_LINE_STATE, _SEND_BREAK) and not to_host:
                if request == _SET_CONTROL_LINE_STATE:
                    self._set_dtr(bool(value & _DTR))
                os.read(control, 0)
            elif to_host:
                os.read(control, 0)  # the wrong way round: a stall
            else:
                os.write(control, b"")

    def _enable(self) -> None:
        self._enabled = True
        self._told = None
        self._reads.resume()

    def _disable(self) -> None:
        self._enabled = False
        self._out.clear()
        self._held = b""
        self._set_dtr(False)

    def _set_dtr(self, on: bool) -> None:
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
            self._files.write(self._gadget.endpoints[_IN], chunk, self._written)

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
        self._ring_end = self._loop.call_later(RING_SECONDS, self._stop_ringing)

    def _stop_ringing(self) -> None:
        self._ringing = False
        self._notify()

    def sample(self) -> None:
        """DTR is told by the host, in its own requests."""

    def _notify(self) -> None:
        """SERIAL_STATE (PSTN subclass §6.5.4), one at a time, the newest state last."""
        state = _DSR | (_DCD if self._carrier else 0) | (_RI if self._ringing else 0)
        if not self._dtr or self._notifying or state == self._told or not self._enabled:
            return
        self._told, self._notifying = state, True
        message = struct.pack("<BBHHHH", 0xA1, 0x20, 0, 0, 2, state)
        self._files.write(self._gadget.endpoints[_NOTIFY], message, self._notified)

    def _notified(self, _result: int) -> None:
        self._notifying = False
        self._notify()
