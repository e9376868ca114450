"""``rig modem``: a script talks to a modem, the transcript is replayed, and the replay is a modem again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rig.drivers.modem.modem import Modem
from rig.drivers.serial.serial_line import SerialLine
from tests.cli.test_command_line import rig
from tests.unit.exchange_process import exchange


def test_a_field_problem_becomes_a_test(tmp_path: Path) -> None:
    """Recorded on one modem, replayed as another: the same questions get the same answers."""
    file = tmp_path / "field.jsonl"
    with exchange(tmp_path) as town, town.modem("usrobotics-courier") as (_, device):
        said = subprocess.run(
            [sys.executable, "-m", "rig", "modem", "--port", device, "--record", str(file)],
            input="ATE0\nATI3\nAT+GMM\n", capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    assert "USRobotics Courier V.Everything" in said.stdout
    assert "ERROR" in said.stdout
    process = subprocess.Popen(
        [sys.executable, "-m", "rig", "modem", "--replay", str(file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as out, SerialLine(out.readline().strip()) as line:
        modem = Modem(line)
        assert modem.command("ATE0") == []
        assert modem.command("ATI3") == ["USRobotics Courier V.Everything"]
    process.terminate()
    assert process.wait(10) == 130


def test_one_of_port_and_replay_is_asked_for() -> None:
    assert rig("modem").returncode == 2
    assert rig("modem", "--port", "/dev/null", "--replay", "x").returncode == 2


def test_a_transcript_that_is_none_is_named() -> None:
    result = rig("modem", "--replay", "/dev/null")
    assert result.returncode == 2
    assert "/dev/null: this is an empty file" in result.stderr
