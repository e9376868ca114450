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

from drivers.pppd import Pppd, PppOptions
from drivers.secret import Secret
from drivers.serial_line import SerialLine
from rig.owner import FOLDER, Owner, clear_leftovers

SMALL = str(Path(__file__).with_name("small.toml"))
GATEWAY = ("--number", "1-800-555-0100", "--bench", SMALL)
Rig = Callable[..., subprocess.CompletedProcess[str]]


def test_verdict_is_ok_with_every_check_and_nothing_is_left(
    rig: Rig, nothing_new_is_left: Callable[[], dict[str, list[str]]]
) -> None:
    result = rig("dial", *GATEWAY, "--json")
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["outcome"] == "OK"
    assert report["exit"] == 0
    assert [check["held"] for check in report["checks"]] == [True] * 9
    assert report["ppp"]["auth"] == "PAP"
    assert report["modem"]["manufacturer"] == "rig"
    assert nothing_new_is_left() == {}


def test_numbers_are_tried_in_order_until_one_connects(rig: Rig) -> None:
    result = rig("dial", "--number", "1-800-555-0999", *GATEWAY, "--json")
    attempts = json.loads(result.stdout)["attempts"]
    assert [(attempt["number"], attempt["result"]) for attempt in attempts] == [
        ("1-800-555-0999", "NO CARRIER"),
        ("1-800-555-0100", "CONNECT"),
    ]


def test_command_runs_within_the_session_and_its_status_is_reported(rig: Rig) -> None:
    result = rig("dial", *GATEWAY, "--json", "--", "sh", "-c", "ip -4 -o addr show ppp0 >&2; exit 3")
    report = json.loads(result.stdout)
    assert report["command_status"] == 3
    assert report["exit"] == 1
    assert report["ppp"]["local"] in result.stderr


def test_secret_is_in_no_output_log_report_or_argv(rig: Rig) -> None:
    """The command over the session looks at everything that this run has in memory's file systems and in argv."""
    look = (
        "import os, pathlib, sys, re\n"
        "folder = next(pathlib.Path('/run/rig').glob('rig*'))\n"
        'secrets = {re.search(r\'"HMCACCT.HMC0001" . "(.+?)"\', f.read_text())[1]'
        " for f in folder.glob('ppp-*/pap-secrets') if 'HMC0001' in f.read_text()}\n"
        "assert len(secrets) == 1, secrets\n"
        "secret = secrets.pop()\n"
        "for log in folder.glob('*.log'):\n"
        "    assert secret not in log.read_text(), log\n"
        "for argv in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    assert secret not in argv.read_text(), argv\n"
        "for file in folder.glob('ppp-*/*-secrets'):\n"
        "    assert file.stat().st_mode & 0o077 == 0, file\n"
        "pathlib.Path('/tmp/the-secret').write_text(secret)\n"
    )
    result = rig("dial", *GATEWAY, "--json", "-v", "--", sys.executable, "-c", look)
    assert result.returncode == 0, result.stderr
    secret = Path("/tmp/the-secret").read_text()
    assert len(secret) > 20
    assert secret not in result.stdout + result.stderr
    assert "password=<hidden>" in result.stderr


def test_port_that_another_process_holds_is_3_and_names_it(rig: Rig, tmp_path: Path) -> None:
    master, slave = os.openpty()
    bench = tmp_path / "held.toml"
    bench.write_text("[near-end]\naccount = 'A'\nsecret = {environment = 'HOME'}\n")
    with SerialLine(os.ttyname(slave)) as line:
        bench.write_text(bench.read_text() + f"[near-end.modem]\nport = '{line.device}'\n")
        result = rig("dial", "--number", "1", "--bench", str(bench))
    os.close(master)
    os.close(slave)
    assert result.returncode == 3
    assert f"pid {os.getpid()}" in result.stderr


def test_silent_port_is_14_and_says_so(rig: Rig, tmp_path: Path) -> None:
    master, slave = os.openpty()
    bench = tmp_path / "silent.toml"
    bench.write_text(
        "[near-end]\naccount = 'A'\nsecret = {environment = 'HOME'}\n"
        f"[near-end.modem]\nport = '{os.ttyname(slave)}'\n"
    )
    os.close(slave)
    result = rig("dial", "--number", "1", "--bench", str(bench))
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
    script = Path(__file__).with_name("interrupt_dial.py")
    result = subprocess.run(
        [sys.executable, str(script), SMALL, "20"], capture_output=True, text=True, timeout=290, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("130") == 20, result.stdout
    assert nothing_new_is_left() == {}
