"""Serial ports, as udev knows them."""

from __future__ import annotations

from dataclasses import dataclass

import pyudev

from drivers.errors import NoModemError


@dataclass(frozen=True)
class Port:
    """A serial port with a device behind it, and what udev says of it; empty where it says nothing."""

    device: str
    vendor: str = ""
    model: str = ""
    serial: str = ""
    interface: str = ""
    path: str = ""

    def describe(self) -> str:
        said = [f"{name}={value}" for name, value in vars(self).items() if value and name != "device"]
        return f"{self.device} ({', '.join(said)})" if said else self.device

    def matches(self, wanted: dict[str, str]) -> bool:
        return all(getattr(self, name).lower() == value.lower() for name, value in wanted.items())


def list_ports() -> list[Port]:
    """USB serial ports (ttyUSB, ttyACM), by device path."""
    found = []
    for device in pyudev.Context().list_devices(subsystem="tty"):
        if device.device_node and device.device_node.startswith(("/dev/ttyUSB", "/dev/ttyACM")):
            properties = device.properties
            found.append(
                Port(
                    device.device_node,
                    properties.get("ID_VENDOR_ID", ""),
                    properties.get("ID_MODEL_ID", ""),
                    properties.get("ID_SERIAL_SHORT", ""),
                    properties.get("ID_USB_INTERFACE_NUM", ""),
                    properties.get("ID_PATH", ""),
                )
            )
    return sorted(found, key=lambda port: port.device)


def find_port(wanted: dict[str, str]) -> str:
    """The one port that matches. Raises NoModemError, listing what there is, when none or several do.

    A port that does not match is never taken instead.
    """
    ports = list_ports()
    matching = [port for port in ports if port.matches(wanted)]
    if len(matching) == 1:
        return matching[0].device
    there = "; ".join(port.describe() for port in ports) or "none"
    asked = ", ".join(f"{name}={value}" for name, value in wanted.items())
    if not wanted and not ports:
        raise NoModemError(
            "no USB serial port is here, so no modem to dial with",
            "plug one in; name its port in a bench file; or try --bench loopback, where everything is emulated",
        )
    if not matching:
        raise NoModemError(f"no serial port matches {asked}; there are: {there}")
    many = "; ".join(port.describe() for port in matching)
    raise NoModemError(f"several serial ports match{' ' + asked if asked else ''}: {many}", "name one in a bench file")
