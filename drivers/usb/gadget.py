"""A USB device of software: configfs describes it, FunctionFS lets this process be its function.

It is plugged into a port of dummy_hcd, the kernel's software host controller, so the same kernel sees it as any
USB device: with udev, a driver, a tty. Needs root and those modules (Documentation/usb/gadget_configfs.rst,
functionfs.rst).
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from rig.drivers.base import kernel_module, syscalls
from rig.drivers.base.errors import CannotRunError

CONFIGFS = Path("/sys/kernel/config")
GADGETS = CONFIGFS / "usb_gadget"
CONTROLLERS = Path("/sys/class/udc")
DUMMIES = 16
"""Ports of the software host controller: as many devices at a time."""
MODULES = ("libcomposite", "usb_f_fs")
ENGLISH = "0x409"

_DESCRIPTORS_V2 = 3
_STRINGS = 2
_FULL_SPEED, _HIGH_SPEED = 1, 2


@dataclass(frozen=True)
class Strings:
    """Who the device is. ``vendor`` and ``product``: four hexadecimal digits."""

    vendor: str
    product: str
    manufacturer: str
    model: str
    serial: str


@dataclass(frozen=True)
class Endpoint:
    """``address`` with 0x80 set goes to the host; ``kind`` 2: bulk, 3: interrupt; ``size``: of a packet."""

    address: int
    kind: int
    size: int
    interval: int = 0


@dataclass(frozen=True)
class Interface:
    """``numbers``: class, subclass and protocol."""

    numbers: tuple[int, int, int]
    endpoints: tuple[Endpoint, ...]


def prepare(driver: str) -> None:
    """Load what is needed, once, and the host's driver. Raises CannotRunError where the kernel has no software USB."""
    for module in (*MODULES, driver):
        kernel_module.load(module)
    kernel_module.load("dummy_hcd", f"num={DUMMIES}")
    if not GADGETS.is_dir():
        syscalls.mount("none", str(CONFIGFS), "configfs")


def _described(interfaces: tuple[Interface, ...], *, high: bool) -> tuple[bytes, int]:
    """Descriptors of one speed, and how many they are (USB 2.0 §9.6)."""
    parts = []
    for number, interface in enumerate(interfaces):
        kind, subclass, protocol = interface.numbers
        parts.append(struct.pack("<9B", 9, 4, number, 0, len(interface.endpoints), kind, subclass, protocol, 1))
        for end in interface.endpoints:
            size = end.size if high or end.kind != 2 else min(end.size, 64)
            parts.append(struct.pack("<BBBBHB", 7, 5, end.address, end.kind, size, end.interval))
    return b"".join(parts), len(parts)


def descriptors(interfaces: tuple[Interface, ...]) -> bytes:
    """What FunctionFS wants on endpoint 0 first."""
    full, full_count = _described(interfaces, high=False)
    high, high_count = _described(interfaces, high=True)
    body = struct.pack("<II", full_count, high_count) + full + high
    return struct.pack("<III", _DESCRIPTORS_V2, 12 + len(body), _FULL_SPEED | _HIGH_SPEED) + body


def strings(name: str) -> bytes:
    """The interface's one string, which follows the descriptors."""
    body = struct.pack("<H", 0x409) + name.encode() + b"\0"
    return struct.pack("<IIII", _STRINGS, 16 + len(body), 1, 1) + body


class Gadget:
    """One device. ``name`` is its folder's in configfs; ``endpoints`` are FunctionFS's files, 0 the control one."""

    def __init__(self, name: str, who: Strings, interfaces: tuple[Interface, ...]) -> None:
        self.name = name
        self.folder = GADGETS / name
        self.files = Path(f"/dev/usb-ffs-{name}")
        self.endpoints: list[int] = []
        self.controller = ""
        try:
            self._describe(who)
            self._open_endpoints(interfaces)
        except BaseException:
            self.remove()
            raise

    def _describe(self, who: Strings) -> None:
        self.folder.mkdir()
        texts = self.folder / "strings" / ENGLISH
        texts.mkdir()
        for file, value in (
            (self.folder / "idVendor", f"0x{who.vendor}"), (self.folder / "idProduct", f"0x{who.product}"),
            (texts / "manufacturer", who.manufacturer), (texts / "product", who.model),
            (texts / "serialnumber", who.serial),
        ):  # fmt: skip
            file.write_text(value)
        (self.folder / "configs/c.1").mkdir()
        function = self.folder / "functions" / f"ffs.{self.name}"
        function.mkdir()
        (self.folder / "configs/c.1/function").symlink_to(function)

    def _open_endpoints(self, interfaces: tuple[Interface, ...]) -> None:
        self.files.mkdir(exist_ok=True)
        syscalls.mount(self.name, str(self.files), "functionfs")
        self.endpoints.append(os.open(self.files / "ep0", os.O_RDWR | os.O_CLOEXEC))
        os.write(self.endpoints[0], descriptors(interfaces))
        os.write(self.endpoints[0], strings("AT modem"))
        count = sum(len(interface.endpoints) for interface in interfaces)
        for number in range(1, count + 1):
            self.endpoints.append(os.open(self.files / f"ep{number}", os.O_RDWR | os.O_CLOEXEC))

    def plug_in(self) -> None:
        """Plug it into the first port that is free. Raises CannotRunError when none is."""
        for controller in sorted(CONTROLLERS.iterdir()):
            if controller.name.startswith("dummy_udc"):
                try:
                    (self.folder / "UDC").write_text(controller.name)
                except OSError as error:
                    if error.errno not in (errno.EBUSY, errno.ENODEV):
                        raise
                else:
                    self.controller = controller.name
                    return
        raise CannotRunError(f"no port of dummy_hcd is free, of {DUMMIES}", "end another run that has USB modems")

    @property
    def port_path(self) -> str:
        """What the system path of everything behind this plug contains."""
        return f"/{self.controller.replace('udc', 'hcd')}/"

    def unplug(self) -> None:
        """Pull it out; it can be plugged in again."""
        with contextlib.suppress(OSError):
            (self.folder / "UDC").write_text("\n")

    def remove(self) -> None:
        """Unplug it, and take it apart."""
        self.unplug()
        for descriptor in self.endpoints:
            os.close(descriptor)
        self.endpoints.clear()
        remove(self.name)


def remove(name: str) -> None:
    """Take a gadget's folders away, in the order that configfs wants; those of a killed run as well."""
    folder, files = GADGETS / name, Path(f"/dev/usb-ffs-{name}")
    if files.is_dir():
        with contextlib.suppress(OSError):
            syscalls.unmount(str(files))
        with contextlib.suppress(OSError):
            files.rmdir()
    if not folder.is_dir():
        return
    with contextlib.suppress(OSError):
        (folder / "UDC").write_text("\n")
    with contextlib.suppress(OSError):
        (folder / "configs/c.1/function").unlink()
    for part in (folder / "configs/c.1", *folder.glob("functions/*"), folder / "strings" / ENGLISH, folder):
        with contextlib.suppress(OSError):
            part.rmdir()


def existing(prefix: str) -> list[str]:
    """Names of the gadgets that begin with ``prefix``."""
    if not GADGETS.is_dir():
        return []
    return sorted(entry.name for entry in GADGETS.iterdir() if entry.name.startswith(prefix))
