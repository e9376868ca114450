"""Where the modem of a bench is: at a port that it names, or at the one that udev finds."""

from __future__ import annotations

from rig.config import layouts, profiles
from rig.config.bench import Bench, ModemTable
from rig.drivers.serial.ports import Port, matching_ports, one_of


def near_port(bench: Bench) -> str:
    """Where a bench's near end finds its modem: at a partition, or as :func:`modem_port`."""
    remote = bench.near_end.remote_modem
    return str(remote.partition) if remote is not None else modem_port(bench.near_end.modem)


def modem_port(modem: ModemTable) -> str:
    """The port of a real modem. Raises NoModemError, naming what there is, when it is not there."""
    return modem.port or modem.url or dialling_port(matching_ports(modem.filters), modem.filters).device


def dialling_port(ports: list[Port], wanted: dict[str, str]) -> Port:
    """The port of those found that dials: where they are all one modem's, its profile or layout says which that is."""
    if len({port.device_path for port in ports}) == 1:
        known = [each.port.interface for each in profiles.by_usb(ports[0].vendor, ports[0].model)]
        for interface in (*known, layouts.dials(ports[0].vendor, ports[0].model)):
            ports = [port for port in ports if port.interface_number == interface] or ports
    return one_of(ports, wanted)
