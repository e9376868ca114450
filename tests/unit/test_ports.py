"""Ports that come and go, told apart; filters; and which of a modem's ports dials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rig.config.ports import dialling_port
from rig.drivers.base.errors import NoModemError
from rig.drivers.serial.ports import Change, Port, Registry, one_of

MODEM = Port(
    "/dev/ttyACM0",
    vendor="0572",
    vendor_name="Conexant",
    model="1329",
    model_name="USB_Modem",
    serial="24680246",
    interface="00",
    path="pci-0000:00:14.0-usb-0:2:1.0",
    link="/dev/serial/by-id/usb-Conexant_USB_Modem_24680246-if00",
    system_path="/sys/devices/usb1/1-2/1-2:1.0/tty/ttyACM0",
    device_path="/sys/devices/usb1/1-2",
)


def test_a_port_in_the_list_and_in_the_monitor_is_one() -> None:
    """Catches a modem shown twice that was plugged in while the ports were listed (pyudev#417)."""
    registry = Registry()
    assert registry.event("add", MODEM.system_path, MODEM) == [Change("added", MODEM)]
    assert registry.listed([MODEM]) == []
    assert registry.event("add", MODEM.system_path, MODEM) == []


def test_a_fast_replug_is_two_devices() -> None:
    """Catches a replug seen as nothing, because the name is the same (labgrid#245)."""
    registry = Registry()
    registry.listed([MODEM])
    assert registry.event("remove", MODEM.system_path, None) == [Change("removed", MODEM)]
    assert registry.event("add", MODEM.system_path, MODEM) == [Change("added", MODEM)]


def test_another_device_at_the_same_place_without_a_remove_is_two() -> None:
    registry = Registry()
    registry.listed([MODEM])
    other = replace(MODEM, serial="12345678")
    assert registry.event("add", MODEM.system_path, other) == [Change("removed", MODEM), Change("added", other)]


def test_ttys_that_do_not_count_make_no_change() -> None:
    registry = Registry()
    assert registry.event("add", "/sys/devices/virtual/tty/tty63", None) == []
    assert registry.event("remove", "/sys/devices/virtual/tty/tty63", None) == []
    assert registry.event("change", MODEM.system_path, MODEM) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"vendor": "0572"}, {"vendor": "conexant"}, {"model": "1329"}, {"model": "usb_modem"}, {"serial": "24680246"},
        {"interface": "00"}, {"path": MODEM.path}, {"link": "usb-Conexant_USB_Modem_24680246-if00"}, {},
        {"vendor": "0572", "model": "1329", "interface": "00"},
    ],
)  # fmt: skip
def test_a_filter_matches_id_and_name(wanted: dict[str, str]) -> None:
    assert MODEM.matches(wanted)


@pytest.mark.parametrize("wanted", [{"vendor": "0573"}, {"vendor": "0572", "interface": "01"}, {"serial": ""}])
def test_a_filter_that_does_not_match(wanted: dict[str, str]) -> None:
    assert not MODEM.matches(wanted)


def test_of_one_modems_ports_the_profile_says_which_dials() -> None:
    ports = [
        Port(f"/dev/ttyUSB{number}", vendor="2c7c", model="0125", interface=f"{number:02x}", device_path="/usb/1")
        for number in range(4)
    ]
    assert dialling_port(ports, {"vendor": "2c7c"}).device == "/dev/ttyUSB3"


def test_several_modems_are_never_guessed_between() -> None:
    other = replace(MODEM, device="/dev/ttyACM1", device_path="/sys/devices/usb1/1-3")
    with pytest.raises(NoModemError, match=r"several serial ports match vendor=0572: /dev/ttyACM0 .*; /dev/ttyACM1"):
        dialling_port([MODEM, other], {"vendor": "0572"})
    assert one_of([MODEM], {}) is MODEM
