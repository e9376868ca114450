"""``rig dial`` as a process: verdict, JSON, command over the session, secrets, busy port, and what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.drivers.base.secret import Secret
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.drivers.serial.serial_line import SerialLine
from rig.run.owner import FOLDER, Owner, clear_leftovers
from tests.lab.traces import left_behind, new_since

SMALL = str(Path(__file__).with_name("small.toml"))
GATEWAY = ("--number", "1-800-555-0100", "--bench", SMALL)


def run_rig(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``rig`` as a process of its own, in this lab."""
    command = [sys.executable, "-m", "rig", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


LOOK_AROUND = """
import pathlib, re, subprocess, sys
folder = next(pathlib.Path('/run/rig').glob('rig*'))
files = list(folder.glob('ppp-*/*-secrets'))
found = {match[1] for file in files if (match := re.search(r'"HMCACCT.HMC0001" . "(.+?)"', file.read_text()))}
assert len(found) == 1, found
secret = found.pop()
for log in folder.glob('*.log'):
    assert secret not in log.read_text(), log
for argv in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
    assert secret not in argv.read_text(), argv
for file in files:
    assert file.stat().st_mode & 0o077 == 0, file
pathlib.Path('/tmp/the-secret').write_text(secret)
subprocess.run(['ip', '-4', '-o', 'addr', 'show', 'ppp0'], stdout=sys.stderr, check=True)
sys.exit(3)
"""
"""Run over the session: looks for the secret in all that the run has in files and in argv."""


@pytest.fixture(scope="module")
def dialled() -> tuple[subprocess.CompletedProcess[str], dict[str, list[str]]]:
    """One run of the whole command, and what it left behind."""
    before = left_behind()
    arguments = ("--number", "1-800-555-0999", *GATEWAY, "--json", "-v", "--", sys.executable, "-c", LOOK_AROUND)
    result = run_rig("dial", *arguments)
    return result, new_since(before)


Dialled = tuple[subprocess.CompletedProcess[str], dict[str, list[str]]]


@pytest.mark.paper("2.1.1")
def test_every_check_holds_and_nothing_is_left(dialled: Dialled) -> None:
    report: dict[str, Any] = json.loads(dialled[0].stdout)
    assert [check["held"] for check in report["checks"]] == [True] * 15
    assert report["ppp"]["auth"] == "PAP"
    assert report["modem"]["manufacturer"] == "rig"
    assert dialled[1] == {}


def test_numbers_are_tried_in_order_until_one_connects(dialled: Dialled) -> None:
    attempts = json.loads(dialled[0].stdout)["attempts"]
    assert [(attempt["number"], attempt["result"]) for attempt in attempts] == [
        ("1-800-555-0999", "NO CARRIER"),
        ("1-800-555-0100", "CONNECT"),
    ]


def test_command_runs_within_the_session_and_its_status_is_reported(dialled: Dialled) -> None:
    result = dialled[0]
    report = json.loads(result.stdout)
    assert report["command_status"] == 3, result.stderr
    assert report["exit"] == result.returncode == 1
    assert f"inet {report['ppp']['local']}" in result.stderr


def test_secret_is_in_no_output_log_report_or_argv(dialled: Dialled) -> None:
    result = dialled[0]
    secret = Path("/tmp/the-secret").read_text()
    assert len(secret) > 20
    assert secret not in result.stdout + result.stderr
    assert "password=<hidden>" in result.stderr


def test_port_that_another_process_holds_is_3_and_names_it(tmp_path: Path) -> None:
    master, slave = os.openpty()
    bench = tmp_path / "held.toml"
    bench.write_text("[near-end]\naccount = 'A'\nsecret = {environment = 'HOME'}\n")
    with SerialLine(os.ttyname(slave)) as line:
        bench.write_text(bench.read_text() + f"[near-end.modem]\nport = '{line.device}'\n")
        result = run_rig("dial", "--number", "1", "--bench", str(bench))
    os.close(master)
    os.close(slave)
    assert result.returncode == 3
    assert f"pid {os.getpid()}" in result.stderr


def test_silent_port_is_14_and_says_so(tmp_path: Path) -> None:
    master, slave = os.openpty()
    bench = tmp_path / "silent.toml"
    bench.write_text(
        "[near-end]\naccount = 'A'\nsecret = {environment = 'HOME'}\n"
        f"[near-end.modem]\nport = '{os.ttyname(slave)}'\n"
    )
    os.close(slave)
    result = run_rig("dial", "--number", "1", "--bench", str(bench))
    os.close(master)
    assert result.returncode == 14
    assert "waited" in result.stderr


def test_what_a_killed_run_left_is_cleared_by_the_next(nothing_new_is_left: Callable[[], dict[str, list[str]]]) -> None:
    pid = os.fork()
    if pid == 0:
        dead = Owner()
        dead.namespace("hmc")
        (dead.folder / "secret").touch()
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    name = next(folder.name for folder in FOLDER.iterdir() if folder.name.startswith(f"rig{pid}x"))
    assert clear_leftovers() == [name]
    assert nothing_new_is_left() == {}


def test_pppd_is_unharmed_by_a_strange_secret(owner: Owner, tmp_path: Path) -> None:
    """Catches a quote or backslash in a secret that would end its word in pap-secrets."""
    master, slave = os.openpty()
    options = PppOptions(("noauth",), client=Secret('a"b', 'c\\"d e#f'))
    pppd = Pppd(slave, options, owner.namespace("strange"), tmp_path)
    written = next(tmp_path.glob("ppp-*/pap-secrets")).read_text()
    assert written == '"a\\"b" * "c\\\\\\"d e#f" *\n'
    pppd.stop()
    assert not list(tmp_path.glob("ppp-*"))
    os.close(master)
    os.close(slave)


@pytest.mark.timeout(300)
def test_interruption_at_twenty_random_moments_leaves_nothing(
    nothing_new_is_left: Callable[[], dict[str, list[str]]],
) -> None:
    """SIGINT and SIGTERM by turns: during the start, dialling, ringing, LCP, in session, hanging up."""
    command = [sys.executable, "-m", "tests.lab.interrupt_dial", SMALL, "20", "2007"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("130") == 20, result.stdout
    assert nothing_new_is_left() == {}
