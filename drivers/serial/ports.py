"""Serial ports, as udev knows them: those there are, those that come and go."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyudev

from rig.drivers.base.errors import NoModemError
from rig.drivers.base.interruptions import waiting

FILTERS = ("vendor", "model", "serial", "path", "interface", "link")
"""What a bench file may ask for; ``vendor`` and ``model`` are the USB ids or the names."""


@dataclass(frozen=True)
class Port:
    """A serial port with a device behind it, and what udev says of it; empty where it says nothing.

    ``vendor`` and ``model``: USB ids, four hexadecimal digits; ``interface``: the USB interface's number, two;
    ``path``: where it is plugged in; ``link``: its name in /dev/serial/by-id, which follows the modem about;
    ``system_path``: the kernel's own name for this one plugging-in. ``device_path``: that of the whole USB
    device, which several ports share.
    """

    device: str
    vendor: str = ""
    vendor_name: str = ""
    model: str = ""
    model_name: str = ""
    serial: str = ""
    interface: str = ""
    path: str = ""
    link: str = ""
    driver: str = ""
    system_path: str = ""
    device_path: str = ""

    @property
    def usb(self) -> bool:
        return bool(self.vendor)

    @property
    def interface_number(self) -> int | None:
        return int(self.interface, 16) if self.interface else None

    def describe(self) -> str:
        shown = {name: getattr(self, name) for name in FILTERS if getattr(self, name)}
        said = ", ".join(f"{name}={value}" for name, value in shown.items())
        return f"{self.device} ({said})" if said else self.device

    def matches(self, wanted: dict[str, str]) -> bool:
        """Whether each filter asked for is met; see FILTERS."""
        return all(value.lower() in self._values(name) for name, value in wanted.items())

    def _values(self, name: str) -> set[str]:
        values = {getattr(self, name).lower()}
        if name in ("vendor", "model"):
            values.add(getattr(self, f"{name}_name").lower())
        if name == "link":
            values.add(Path(self.link).name.lower())
        return values - {""}


_PROPERTIES = {
    "vendor": "ID_VENDOR_ID",
    "vendor_name": "ID_VENDOR",
    "model": "ID_MODEL_ID",
    "model_name": "ID_MODEL",
    "serial": "ID_SERIAL_SHORT",
    "interface": "ID_USB_INTERFACE_NUM",
    "path": "ID_PATH",
    "driver": "ID_USB_DRIVER",
}


_ATTRIBUTES = {"vendor": "idVendor", "model": "idProduct", "serial": "serial", "interface": "bInterfaceNumber"}


def _attribute(device: Any, key: str) -> str:
    """What sysfs says of the nearest device above that has such an attribute."""
    found = (parent.attributes.get(key) for parent in device.ancestors)
    return next((value.decode("ascii", "replace").strip() for value in found if value), "")


def from_udev(device: Any) -> Port | None:
    """A tty of udev's as a Port; None where nothing is behind it: a console, a pty, a UART that is not there."""
    node = device.device_node
    if not node:
        return None
    on_usb = device.find_parent("usb", "usb_interface")  # by what it is behind: makers have names of their own for ttys
    if on_usb is None and not _has_uart(device):
        return None
    known = {name: device.properties.get(key, "") for name, key in _PROPERTIES.items()}
    if on_usb is None:  # a UART is described by its bus, not by these
        known = dict.fromkeys(known, "") | {"path": known["path"]}
    elif not known["vendor"]:  # a tty that udev's own rules pass over
        known |= {name: _attribute(device, key) for name, key in _ATTRIBUTES.items()}
    links = [link for link in device.properties.get("DEVLINKS", "").split() if link.startswith("/dev/serial/by-id/")]
    whole = device.find_parent("usb", "usb_device") if on_usb is not None else None
    return Port(
        node,
        **known,
        link=min(links, default=""),
        system_path=device.sys_path,
        device_path=whole.sys_path if whole is not None else device.sys_path,
    )


def _has_uart(device: Any) -> bool:
    """Whether a ttyS is more than a name: the 8250 driver registers names for ports that are not there.

    Those stand below a platform device and have type 0 (PORT_UNKNOWN); the type is for root to read.
    """
    if not device.device_node.startswith("/dev/ttyS") or "/virtual/" in device.sys_path:
        return False
    with contextlib.suppress(OSError):
        return (Path(device.sys_path) / "type").read_text().strip() != "0"
    return "/platform/serial8250/" not in device.sys_path


@functools.cache
def _udev() -> pyudev.Context:
    """For one thread at a time. Each one made looks for its library by starting ldconfig: 0.1 s in the lab."""
    return pyudev.Context()


_asking = threading.Lock()


def list_ports() -> list[Port]:
    """USB serial ports, whatever their driver calls them, and 8250 ports that have a UART, by device path."""
    with _asking:
        found = [from_udev(device) for device in _udev().list_devices(subsystem="tty")]
    return sorted((port for port in found if port is not None), key=lambda port: port.device)


def port_at(name: str) -> Port:
    """The port of a device path or link, as udev knows it; a URL, or what udev does not know, as it is."""
    device = name if "://" in name else os.path.realpath(name)
    with contextlib.suppress(pyudev.DeviceNotFoundError, ValueError, OSError), _asking:
        return from_udev(pyudev.Devices.from_device_file(_udev(), device)) or Port(name, device_path=name)
    return Port(name, device_path=name)


@dataclass(frozen=True)
class Change:
    """A port that came or went."""

    action: Literal["added", "removed"]
    port: Port


class Registry:
    """The ports there are, told apart by the kernel's name for each plugging-in; makes changes out of events.

    Sans-I/O. What udev lists and what its monitor says overlap: a port that both know is one port, and one
    that is plugged out and in again within a moment is two (labgrid#245, pyudev#417).
    """

    def __init__(self) -> None:
        self._ports: dict[str, Port] = {}

    def listed(self, ports: Iterable[Port]) -> list[Change]:
        """Ports that were listed after the monitor was started."""
        return [Change("added", port) for port in ports if self._is_new(port)]

    def _is_new(self, port: Port) -> bool:
        new = self._ports.get(port.system_path) != port
        self._ports[port.system_path] = port
        return new

    def event(self, action: str, system_path: str, port: Port | None) -> list[Change]:
        """An event of the monitor's; ``port`` None where there is, or was, no port that counts."""
        known = self._ports.get(system_path)
        if action == "remove":
            self._ports.pop(system_path, None)
            return [Change("removed", known)] if known is not None else []
        if action != "add" or port is None or known == port:
            return []
        self._ports[system_path] = port
        return [*([Change("removed", known)] if known is not None else []), Change("added", port)]


def _started_monitor() -> pyudev.Monitor:
    """Started before anything is listed, so that no port is missed."""
    monitor = pyudev.Monitor.from_netlink(pyudev.Context())
    monitor.filter_by("tty")
    monitor.start()
    return monitor


def watch() -> Iterator[Change]:
    """The ports there are, then each that comes or goes, for ever. The monitor is started first, so none is missed."""
    monitor = _started_monitor()
    registry = Registry()
    yield from registry.listed(list_ports())
    while True:
        with waiting():
            device = monitor.poll()
        if device is not None:
            yield from registry.event(device.action, device.sys_path, from_udev(device))


def await_port(below: str, seconds: float, interface: str = "") -> Port:
    """Wait for a port whose system path contains ``below``, of the USB interface, where one is named.

    Raises NoModemError after so many seconds.
    """

    def wanted(port: Port) -> bool:
        return below in port.system_path and interface in ("", port.interface)

    monitor = _started_monitor()
    for port in list_ports():
        if wanted(port):
            return port
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        with waiting():
            device = monitor.poll(left)
        new = from_udev(device) if device is not None and device.action == "add" else None
        if new is not None and wanted(new):
            return new
    raise NoModemError(f"no tty appeared below {below} within {seconds:g} s", "is udev running? udevadm monitor shows")


def matching_ports(wanted: dict[str, str]) -> list[Port]:
    """The ports that meet every filter. Raises NoModemError, listing what there is, when none does.

    A port that does not match is never taken instead. With no filter, USB ports alone: a UART is there whether
    anything is plugged into it or not.
    """
    ports = list_ports()
    if not wanted:
        ports = [port for port in ports if port.usb]
    matching = [port for port in ports if port.matches(wanted)]
    if not ports and not wanted:
        raise no_port()
    if not matching:
        there = "; ".join(port.describe() for port in ports) or "none"
        raise NoModemError(f"no serial port matches {_asked(wanted)}; there are: {there}")
    return matching


def one_of(ports: list[Port], wanted: dict[str, str]) -> Port:
    """The only port. Raises NoModemError, listing them, when there are several."""
    if len(ports) > 1:
        many = "; ".join(port.describe() for port in ports)
        match = f"match {_asked(wanted)}" if wanted else "are here"
        raise NoModemError(f"several serial ports {match}: {many}", "name one in a bench file")
    return ports[0]


def _asked(wanted: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in wanted.items())


def kernel_consoles() -> set[str]:
    """Device paths of the ttys that the kernel writes its messages to: nothing for a modem command to land on."""
    with contextlib.suppress(OSError):
        return {f"/dev/{name}" for name in Path("/sys/class/tty/console/active").read_text().split()}
    return set()


def no_port() -> NoModemError:
    """What is said where there is no serial port at all."""
    return NoModemError(
        "no USB serial port is here, so no modem to dial with",
        "plug one in; name its port in a bench file; or try --bench loopback, where everything is emulated",
    )
