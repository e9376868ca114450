"""Serial ports, who holds them, and ModemManager, who takes new ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rig.doctor.finding import Finding, State
from rig.drivers.serial import locks, ports

RULES = Path("/etc/udev/rules.d/70-rig.rules")
INSTALL_RULES = (
    "sudo cp hw-config/udev/70-rig.rules /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger"
)


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
    if RULES.exists():
        return Finding("ports", "ModemManager", State.OK, "running; the rig's udev rules keep it off")
    return Finding("ports", "ModemManager", State.BROKEN, "running: it takes a new port for ten seconds", INSTALL_RULES)


def _processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
