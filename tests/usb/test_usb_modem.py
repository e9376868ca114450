"""A modem on a real USB stack: lines that are lines, plugs that are pulled. Runs on the bench ``usb``."""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pyudev

from rig.checks import every as checks
from rig.config.ports import dialling_port
from rig.config.profiles import named
from rig.drivers.base.errors import CarrierLostError, NoModemError, PortLostError
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.serial.ports import Port, await_port, list_ports, matching_ports
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.detect import Caution, detect
from tests.polling import wait_until

if TYPE_CHECKING:
    from rig.fixtures.line import Call, Faults, Line, Session
    from rig.parts.rack import FarEnd

TIOCGICOUNT = 0x545D
CARRIER_LOSS = 1.4
"""Seconds that a carrier may be away before a modem turns DCD off (V.250 6.3.12: S10, which is 14 tenths as made)."""


def rings(line: SerialLine) -> int:
    """How often RI has changed, as the driver counts it (linux/serial.h, serial_icounter_struct)."""
    counts: tuple[int, ...] = struct.unpack("20i", fcntl.ioctl(line.fileno(), TIOCGICOUNT, bytes(80)))
    return counts[2]


@pytest.mark.paper("2.1.1")
def test_every_check_holds_over_usb(session: Session) -> None:
    results = [result for check in checks.for_way("modem") for result in session.run_check(check)]
    assert [result.observed for result in results if not result.held] == []


def test_the_line_has_modem_control_and_pppd_uses_it(session: Session) -> None:
    line = session.line.near.modem.line
    assert line.has_modem_control
    assert line.carrier


def test_loss_of_dcd_ends_the_session_in_two_seconds(session: Session, exchange: Faults) -> None:
    exchange.drop_carrier()
    assert session.line.near.session.wait_end(CARRIER_LOSS + 2)
    assert isinstance(session.line.near.failure(), CarrierLostError)
    assert session.line.near.failure().exit_status == 22


def test_dcd_follows_the_call(modem: Line) -> None:
    line = modem.near.modem.line
    assert line.carrier is False
    modem.call()
    wait_until(lambda: line.carrier is True, 1, "DCD on")
    modem.near.modem.escape()
    modem.near.modem.hang_up()
    wait_until(lambda: line.carrier is False, 1, "DCD off")


def test_dtr_drop_hangs_up(call: Call, exchange: Faults) -> None:
    assert exchange.calls
    call.line.near.modem.line.hang_up()
    assert exchange.calls == []


@pytest.fixture
def second(far_end: FarEnd) -> Iterator[Port]:
    """Another USB modem, on a line of its own."""
    where = far_end.exchange.ask("install", name="second", number="555-0177", make="usrobotics-usr5637", bus="usb")
    yield await_port(where, 20)
    far_end.exchange.ask("remove", name="second")


def test_an_answering_modem_sees_ri_and_then_dcd(modem: Line, second: Port) -> None:
    with SerialLine(second.device) as line:
        answering = Modem(line)
        answering.reset()
        answering.configure()
        before = rings(line)
        dialling = threading.Thread(target=modem.call, args=("555-0177",))
        dialling.start()
        answering.wait_for_ring(timeout=10)
        wait_until(lambda: rings(line) > before, 2, "RI")
        answering.answer(10)
        dialling.join(10)
        wait_until(lambda: line.carrier is True, 1, "DCD")


def test_a_make_is_found_by_udev_and_by_what_it_says(second: Port) -> None:
    assert (second.vendor, second.model, second.interface) == ("0baf", "0303", "00")
    assert second.link.startswith("/dev/serial/by-id/usb-U.S._Robotics")
    found = detect([second], Caution())[0]
    assert found.profile is not None
    assert found.profile.name == "usrobotics-usr5637"
    assert found.dials


def test_of_a_cellular_modems_four_ports_the_right_one_dials_and_diagnostics_are_left_alone(far_end: FarEnd) -> None:
    """Its own interfaces, bound by the kernel's option: diagnostics, positions, AT, modem."""
    where = far_end.exchange.ask("install", name="cellular", number="", make="quectel-ec25", bus="usb")
    try:
        await_port(where, 20, "03")
        ports = [port for port in list_ports() if where in port.system_path]
        assert [port.driver for port in ports] == ["option"] * 4
        found = detect(ports, Caution())
        assert [(one.state, one.dials) for one in found] == [
            ("left alone", False), ("no modem", False), ("modem", False), ("modem", True),
        ]  # fmt: skip
        assert found[3].kind == "cellular"
        assert "data of its own" in found[1].note
        assert far_end.exchange.ask("written", line="cellular")["0"] == 0
        with SerialLine(found[3].port.device, rtscts=False) as line:
            modem = Modem(line)
            modem.follow(named("quectel-ec25"))
            modem.reset()
            modem.configure()
            assert modem.dial(Number("1-800-555-0106"), 20).text == "CONNECT 150000000"
            wait_until(lambda: line.carrier is True, 2, "DCD on")
    finally:
        far_end.exchange.ask("remove", name="cellular")


def test_the_rules_for_udev_name_the_socket_and_keep_modem_manager_off(second: Port) -> None:
    """hw-config/udev/70-rig.rules, as the guest's udev has it."""
    assert Path(f"/dev/modem/by-path/{second.path}").resolve() == Path(second.device)
    tty = pyudev.Devices.from_device_file(pyudev.Context(), second.device)
    whole = tty.find_parent("usb", "usb_device")
    assert whole is not None
    assert whole.properties["ID_MM_DEVICE_IGNORE"] == "1"
    assert oct(os.stat(second.device).st_mode & 0o777) == "0o660"


def test_filters_find_one_of_two_and_never_guess(far_end: FarEnd, second: Port) -> None:
    assert Path(far_end.near_port).exists()
    assert dialling_port(matching_ports({"vendor": "0baf"}), {"vendor": "0baf"}) == second
    with pytest.raises(NoModemError, match="several serial ports"):
        dialling_port(matching_ports({}), {})
    with pytest.raises(NoModemError, match="no serial port matches vendor=dead; there are: /dev/ttyACM"):
        matching_ports({"vendor": "dead"})


def test_unplugging_in_a_session_ends_it_in_two_seconds_and_holds_up_nothing(
    session: Session, exchange: Faults
) -> None:
    near = session.line.near
    began = time.monotonic()
    exchange.plug(False)
    try:
        assert near.session.wait_end(2), "pppd did not notice"
        wait_until(lambda: not Path(near.port).exists(), 2, "the tty to go")
        assert "unplugged" in str(near.failure())
        near.hang_up()
        assert time.monotonic() - began < 2
    finally:
        exchange.plug(True)
        await_port("/dummy_hcd.", 20)


def test_unplugging_while_a_modem_is_asked_is_a_lost_port(second: Port, far_end: FarEnd) -> None:
    with SerialLine(second.device) as line:
        modem = Modem(line)
        modem.reset()
        far_end.exchange.ask("plug", line="second", plugged=False)
        with pytest.raises(PortLostError):
            modem.wait_for_ring(timeout=5)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    far_end.exchange.ask("plug", line="second", plugged=True)


class Watch:
    """``rig detect --watch --json`` as a process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "rig", "detect", "--watch", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self._out = self.process.stdout
        self._rest = b""

    def end(self) -> int:
        self.process.terminate()
        self._out.close()
        return self.process.wait(10)

    def next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], max(0, end - time.monotonic()))
            assert ready, f"nothing was shown within {seconds:g} s"
            self._rest += os.read(self._out.fileno(), 65536)
        line, self._rest = self._rest.split(b"\n", 1)
        shown: dict[str, Any] = json.loads(line)
        return shown


def test_watch_shows_modems_come_and_go_and_a_fast_replug_is_two(second: Port, far_end: FarEnd) -> None:
    watch = Watch()
    try:
        there = [watch.next(60) for _ in range(len(list_ports()))]
        assert {entry["action"] for entry in there} == {"added"}
        assert second.device in {entry["device"] for entry in there}
        far_end.exchange.ask("plug", line="second", plugged=False)
        far_end.exchange.ask("plug", line="second", plugged=True)
        gone, back = watch.next(5), watch.next(20)
        assert (gone["action"], gone["profile"]) == ("removed", "usrobotics-usr5637")
        assert (back["action"], back["state"], back["profile"]) == ("added", "modem", "usrobotics-usr5637")
    finally:
        assert watch.end() == 130


REAL = """
region = "americas"
[near-end]
account = "{account}"
user-id = "{user}"
secret = {{ environment = "RIG_TEST_SECRET" }}
[near-end.modem]
vendor = "0572"
[expect]
ca = "{ca}"
unauthorized-host = "129.42.160.51"
"""


def test_a_bench_that_names_a_real_modem_by_udev_dials_with_it(far_end: FarEnd, tmp_path: Path) -> None:
    """The way of a bench with hardware: udev filters, a profile by what it says, no look at the far side."""
    account, _, user = far_end.secret.user.partition(".")
    bench = tmp_path / "real.toml"
    bench.write_text(REAL.format(account=account, user=user, ca=far_end.ca))
    command = [sys.executable, "-m", "rig", "dial", "--number", "1-800-555-0100", "--bench", str(bench), "--json"]
    environment = os.environ | {"RIG_TEST_SECRET": far_end.secret.password}
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["modem"]["profile"] == "conexant-cx93010"
    assert [check["held"] for check in report["checks"]].count(True) >= 5
    assert far_end.secret.password not in result.stdout + result.stderr


def test_flow_control_is_off_where_the_profile_says_so() -> None:
    """Catches crtscts on a port with no such wire: every byte would wait for ever."""
    ports = [port for port in list_ports() if port.usb]
    with SerialLine(ports[0].device, rtscts=False) as line:
        assert not termios.tcgetattr(line.fileno())[2] & termios.CRTSCTS
