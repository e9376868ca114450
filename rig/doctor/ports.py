"""Serial ports, who holds them, and ModemManager, who takes new ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rig.doctor import programs
from rig.doctor.finding import Finding, State
from rig.drivers.base import program
from rig.drivers.base.errors import CannotRunError
from rig.drivers.serial import locks, ports

RULES = Path("/etc/udev/rules.d/70-rig.rules")
CELLULAR_ALONE = (1, 18)
"""ModemManager's version since which no filter of its own takes every port (src/mm-filter.c, 2021-06-16): what it takes
is what its plug-ins know by their vendors, what has a network interface or several ports beside, and what a udev rule
names (ID_MM_DEVICE_PROCESS). Before, a filter that takes every port was there to be chosen, and up to 1.12 the default.
"""


def serial_ports() -> Iterator[Finding]:
    """Each port that udev knows; and whether anything takes them away."""
    found = ports.list_ports()
    for port in found:
        yield _port(port)
    if not found:
        yield Finding("ports", "serial ports", State.MISSING, "udev knows none", "plug a modem in; or --bench loopback")
    yield _modem_manager()


def _port(port: ports.Port) -> Finding:
    words = " ".join(filter(None, (port.vendor, port.model))) or "serial port"
    if holders := locks.holders(Path(port.device)):
        who, advice = locks.explain_holders(holders)
        return Finding("ports", port.device, State.BROKEN, f"{words}, held by {who}", advice)
    return Finding("ports", port.device, State.OK, words)


def _modem_manager() -> Finding:
    running = any(locks.process_name(int(entry.name)).startswith("ModemManager") for entry in _processes())
    if not running:
        return Finding("ports", "ModemManager", State.OK, "not running")
    return modem_manager(_said_of_itself(), ours=RULES.exists())


def modem_manager(said: str, *, ours: bool) -> Finding:
    """What one that runs does to ports, by what it says of its version, "" where it says nothing; ``ours``: the rig's
    udev rules are there."""
    if ours:
        return Finding("ports", "ModemManager", State.OK, "running; the rig's udev rules keep it off wired modems")
    version = programs.VERSION.search(said)
    if version is not None and tuple(map(int, re.findall(r"\d+", version[0])[:2])) >= CELLULAR_ALONE:
        found = (
            f"{version[0]} running: it takes cellular modems' ports, for ten seconds and more, and leaves others alone"
        )
        return Finding("ports", "ModemManager", State.OK, found)
    return Finding(
        "ports", "ModemManager", State.BROKEN, "running: it takes a new port for ten seconds", locks.INSTALL_RULES
    )


def _said_of_itself() -> str:
    try:
        path = program.find("ModemManager", "modemmanager")
    except CannotRunError:
        return ""
    told = programs.version("ModemManager", path, "--version", "modemmanager")
    return told.found if told.state is State.OK else ""


def _processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
