"""Which USB interface carries what: the makers' layouts, and that nothing is written to what is not AT's."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.config import layouts
from rig.config.ports import dialling_port
from rig.drivers.base.errors import ConfigError
from rig.drivers.serial.layouts import load
from rig.drivers.serial.ports import Port
from rig.jobs.detect import Caution


def usb(vendor: str, model: str, interface: int) -> Port:
    number = f"{interface:02x}"
    return Port(f"/dev/ttyUSB{interface}", vendor=vendor, model=model, interface=number, device_path="/usb/1")


def test_every_layout_shipped_is_sound_and_has_a_source() -> None:
    found = layouts.all_layouts()
    assert len(found) > 40
    assert all(layout.source and layout.title for layout in found.values())
    assert sum(len(layout.product) for layout in found.values()) > 600


@pytest.mark.parametrize(
    ("vendor", "model"),
    [("2c7c", "0125"), ("2c7c", "0121"), ("2c7c", "0306"), ("2c7c", "0296"), ("2c7c", "0435"), ("2c7c", "fffe")],
)
def test_quectels_diagnostics_port_is_left_alone_whatever_the_product(vendor: str, model: str) -> None:
    """Catches EC21, EG06 and BG96 written to because one product alone was known."""
    assert "diagnostics" in Caution().reason(usb(vendor, model, 0))
    assert Caution().reason(usb(vendor, model, 2)) == ""


def test_what_the_sources_do_not_tell_is_asked() -> None:
    assert Caution().reason(usb("0572", "1329", 0)) == ""
    assert Caution().reason(usb("1bc7", "0021", 4)) != ""  # its profile's
    assert layouts.dials("0572", "1329") is None


def test_a_product_without_a_profile_dials_by_its_makers_layout() -> None:
    ports = [usb("2c7c", "0121", number) for number in range(4)]
    assert dialling_port(ports, {"vendor": "2c7c"}).interface_number == layouts.dials("2c7c", "0121")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vendor = '2C7C'", "'vendor': it takes four hexadecimal digits in small letters, not '2C7C'"),
        ("vendor = '2c7c'\n[product.1]\nname = 'x'", "'product.1'"),
        ("vendor = '2c7c'\n[product.0001]\nname = 'x'\nat = [2]\nmodem = 2", "interface 2 is named twice"),
        (
            "vendor = '2c7c'\n[product.0001]\nname = 'x'\nnmae = [2]",
            "unknown key 'product.0001.nmae'; did you mean 'nmea'",
        ),
    ],
)
def test_a_layout_that_is_wrong_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "maker.toml"
    path.write_text(f"title = 'Maker'\nsource = ['a manual']\n{text}\n")
    with pytest.raises(ConfigError, match=says) as raised:
        load(path)
    assert str(path) in str(raised.value)


def test_two_files_for_one_vendor_are_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("title = 'Maker'\nsource = ['a manual']\nvendor = '2c7c'\n")
    with pytest.raises(ConfigError, match="has a file already"):
        layouts.all_layouts(tmp_path)
