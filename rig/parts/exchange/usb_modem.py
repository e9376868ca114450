"""A whole USB modem of software, of the make that a profile describes: the modem proper, and its other ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from rig.drivers.modem.profile import Persona, Profile
from rig.drivers.usb.gadget import Strings
from rig.parts.exchange.terminal import Dce, Terminal
from rig.parts.exchange.usb_device import UsbDevice

NMEA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
NMEA_SECONDS = 0.05
FALLBACK_ID = "0572:1329"
"""For a make with no USB id of its own: that of a common chip."""


class Instrument:
    """A port that is no modem: for diagnostics, for positions, or for nothing. Counts what is written to it."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.received = 0
        self.terminal: Terminal | None = None
        self._timer: asyncio.TimerHandle | None = None

    def from_dte(self, data: bytes) -> None:
        self.received += len(data)

    def set_dtr(self, on: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on and self.role == "nmea":
            self._say_position()

    def _say_position(self) -> None:
        if self.terminal is not None:
            self.terminal.write(NMEA * 4)
        self._timer = asyncio.get_running_loop().call_later(NMEA_SECONDS, self._say_position)

    def takes_more(self) -> bool:
        return True

    def drained(self) -> None:
        """It has more to say at its own time."""


def strings(made_as: Profile) -> Strings:
    """Who a USB modem of a make says it is."""
    vendor, product = (made_as.match.usb or (FALLBACK_ID,))[0].split(":")
    who = made_as.persona
    return Strings(vendor, product, who.manufacturer or made_as.title, who.model or made_as.name, who.serial or "1")


class Port(Dce, Protocol):
    """A port's side of the device: a modem, or an instrument. ``terminal``: what it speaks to."""

    terminal: Terminal | None


class Modem(Port, Protocol):
    """A modem, which can be unplugged."""

    def close(self) -> None: ...


_Modem = TypeVar("_Modem", bound=Modem)


class UsbModem(Generic[_Modem]):
    """``modem`` is the one on the telephone line; ``spare`` makes another that is on none, for a second AT port."""

    def __init__(self, name: str, made_as: Profile, modem: _Modem, spare: Callable[[], _Modem]) -> None:
        self.modem = modem
        self.spares: list[_Modem] = []
        self.instruments: dict[int, Instrument] = {}
        dces: list[Port] = []
        for number, role in enumerate(_roles(made_as.persona)):
            if role == "modem":
                dces.append(modem)
            elif role == "at":
                self.spares.append(spare())
                dces.append(self.spares[-1])
            else:
                dces.append(self.instruments.setdefault(number, Instrument(role)))
        self.device = UsbDevice(name, strings(made_as), made_as.persona.usb, dces, [dce is modem for dce in dces])
        for dce, terminal in zip(dces, self.device.terminals, strict=True):
            dce.terminal = terminal
        self.device.plug_in()

    def close(self) -> None:
        """Unplug it for good."""
        for modem in (self.modem, *self.spares):
            modem.close()
        self.device.close()

    def written(self) -> dict[int, int]:
        """How many bytes were written to each interface that is no modem."""
        return {number: instrument.received for number, instrument in self.instruments.items()}


def _roles(persona: Persona) -> list[str]:
    """The role of each port's interface from 0 up; one that a make does not have between two others is silent here.

    Of a CDC-ACM device only the port that dials: without descriptors of its class, cdc_acm finds no second one.
    """
    if persona.usb == "acm" or not persona.interfaces:
        return ["modem"]
    roles = {interface.number: str(interface.role) for interface in persona.interfaces}
    return [roles.get(number, "silent") for number in range(max(roles) + 1)]
