"""A modem as a USB device of software: one or several serial ports behind one plug, endpoint 0 for all of them.

Two kinds. ``acm``: one port, CDC-ACM (USB PSTN subclass 1.2), which the kernel's cdc_acm drives; FunctionFS refuses
class-specific descriptors, so cdc_acm is told by new_id to do without (its NO_UNION_NORMAL quirk). ``vendor``: an
interface of the maker's own class for each port, as cellular modems have them, which the kernel's option drives.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from rig.drivers.base.aio import AsyncFiles
from rig.drivers.usb import gadget
from rig.drivers.usb.gadget import Endpoint, Gadget, Interface, Strings
from rig.parts.exchange.terminal import Dce
from rig.parts.exchange.usb_terminal import PACKET, UsbTerminal

_EVENT = struct.Struct("<BBHHHB3x")
"""linux/usb/functionfs.h: a control request, and the kind of event."""
_ENABLE, _DISABLE, _SETUP = 2, 3, 4
_SET_LINE_CODING, _GET_LINE_CODING, _SET_CONTROL_LINE_STATE, _SEND_BREAK = 0x20, 0x21, 0x22, 0x23
_DTR = 1
_BULK, _INTERRUPT, _TO_HOST = 2, 3, 0x80
_ACM_NEW_ID = Path("/sys/bus/usb/drivers/cdc_acm/new_id")
_VENDOR_CLASS = (0xFF, 0, 0)


def interfaces(kind: str, lines: Sequence[bool]) -> tuple[Interface, ...]:
    """What the device shows of itself. ``lines``: for each port whether it has modem-control lines."""
    addresses = itertools.count(1)
    shown = []
    for has_lines in lines:
        notify = (Endpoint(_TO_HOST | next(addresses), _INTERRUPT, 16, interval=4),) if has_lines else ()
        to_host = Endpoint(_TO_HOST | next(addresses), _BULK, PACKET)
        from_host = Endpoint(next(addresses), _BULK, PACKET)
        if kind == "acm":
            shown += [Interface((2, 2, 1), notify), Interface((10, 0, 0), (to_host, from_host))]
        else:
            shown.append(Interface(_VENDOR_CLASS, (*notify, to_host, from_host)))
    return tuple(shown)


class UsbDevice:
    """See the module. ``dces``: what is behind each port, in the order of its interfaces; ``kind``: acm, vendor;
    ``lines``: which of them have modem-control lines (dummy_hcd has not endpoints enough for all).

    ``terminals`` are the ports' ends here. It is plugged in by :meth:`plug_in`, once the modems know them.
    """

    def __init__(self, name: str, who: Strings, kind: str, dces: Sequence[Dce], lines: Sequence[bool]) -> None:
        gadget.prepare("cdc_acm" if kind == "acm" else "option")
        self._who = who
        self._kind = kind
        self._gadget = Gadget(name, who, interfaces(kind, lines))
        self._control = self._gadget.endpoints[0]
        self._files = AsyncFiles()
        ends = iter(self._gadget.endpoints[1:])
        self.terminals = [
            UsbTerminal(self._files, next(ends) if has_lines else None, (next(ends), next(ends)), port, dce)
            for port, (dce, has_lines) in enumerate(zip(dces, lines, strict=True))
        ]
        os.set_blocking(self._control, False)
        asyncio.get_running_loop().add_reader(self._control, self._control_ready)
        if kind == "acm":  # the quirk of 0572:1321, for any device whose interface is of class 2
            _ACM_NEW_ID.write_text(f"{who.vendor} {who.product} 2 0572 1321")

    @property
    def port_path(self) -> str:
        """Where it is plugged in: the system paths of its ttys contain this."""
        return self._gadget.port_path

    def plug_in(self) -> None:
        """Put the plug in."""
        self._gadget.plug_in()

    def unplug(self) -> None:
        """Pull the plug, and keep the modem."""
        self._gadget.unplug()

    def close(self) -> None:
        """Pull the plug, and take the device apart."""
        asyncio.get_running_loop().remove_reader(self._control)
        for terminal in self.terminals:
            terminal.close()
        self._gadget.unplug()
        self._files.close()
        self._gadget.remove()
        if self._kind == "acm":
            with contextlib.suppress(OSError):
                _ACM_NEW_ID.with_name("remove_id").write_text(f"{self._who.vendor} {self._who.product}")

    # --- endpoint 0 ------------------------------------------------------------------------------------------

    def _control_ready(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._control, _EVENT.size * 4)
            for request_type, request, value, index, length, kind in _EVENT.iter_unpack(data):
                if kind == _ENABLE:
                    for terminal in self.terminals:
                        terminal.enable()
                elif kind == _DISABLE:
                    for terminal in self.terminals:
                        terminal.disable()
                elif kind == _SETUP:
                    self._setup(request_type, request, value, index, length)

    def _setup(self, request_type: int, request: int, value: int, index: int, length: int) -> None:
        """A control request. The state is changed before it is acknowledged: who asked acts on it at once."""
        terminal = self.terminals[0 if self._kind == "acm" else min(index & 0xFF, len(self.terminals) - 1)]
        to_host = bool(request_type & _TO_HOST)
        with contextlib.suppress(OSError):  # the host gave up, or is gone
            if request == _GET_LINE_CODING and to_host:
                os.write(self._control, terminal.line_coding[:length])
            elif request == _SET_LINE_CODING and not to_host:
                terminal.line_coding = os.read(self._control, length)
            elif request in (_SET_CONTROL_LINE_STATE, _SEND_BREAK) and not to_host:
                if request == _SET_CONTROL_LINE_STATE:
                    terminal.set_dtr(bool(value & _DTR))
                os.read(self._control, 0)
            elif to_host:
                os.read(self._control, 0)  # the wrong way round: a stall
            else:
                os.write(self._control, b"")
