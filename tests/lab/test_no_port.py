"""``rig detect`` where there is no serial port: User-Mode Linux has none that counts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rig.drivers.serial.ports import list_ports


def test_detect_on_a_machine_with_no_serial_port_says_so_and_exits_3() -> None:
    if list_ports():
        pytest.skip("this lab's machine has serial ports")
    result = subprocess.run([sys.executable, "-m", "rig", "detect"], capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "no serial port is here" in result.stderr
