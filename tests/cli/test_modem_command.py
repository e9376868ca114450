"""``rig modem``: a script talks to a modem, the transcript is replayed, and the replay is a modem again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_benchs_own_modem_is_talked_to_and_what_it_calls_answers_and_says_it_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rig", "modem", "--bench", "loopback-instant", "--record", str(tmp_path / "said")]
    said = subprocess.run(
        command, input="ATDT18005550100\nhear me\n", capture_output=True, text=True, timeout=30, check=True
    )
    assert "1-800-555-0101: busy" in said.stderr
    assert "CONNECT 115200" in said.stdout
    assert "hear me" in said.stdout.partition("CONNECT")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name one of --port, --bench and --replay"),
        (("--port", "/dev/null", "--replay", "x"), "name one of --port, --bench and --replay"),
        (("--port", "/dev/null", "--listen"), "--listen is for a modem of --bench"),
        (("--bench", "bench-modem"), "bench bench-modem has no emulated modem"),
        (("--bench", "loopback", "--listen", "x"), "bench loopback: its lines carry no sound"),
    ],
)
def test_what_it_cannot_do_is_said(arguments: tuple[str, ...], says: str) -> None:
    result = rig("modem", *arguments)
    assert result.returncode == 2
    assert says in result.stderr


def test_a_transcript_that_is_none_is_named() -> None:
    result = rig("modem", "--replay", "/dev/null")
    assert result.returncode == 2
    assert "/dev/null: this is an empty file" in result.stderr
