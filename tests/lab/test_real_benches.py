"""Benches without an exchange of the rig's: a null-modem cable, and two modems of which the LIG answers one.

The cable and the telephone line are emulated here, the bench files name ports as for real hardware.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.dissection import dpkt
from tests.lab.null_modem import NullModem
from tests.unit.terminal_server import serving

if TYPE_CHECKING:
    from rig.parts.rack import FarEnd

LIG = """
[lig]
address = "198.51.100.1"
pool = "198.51.100.16/28"
name-servers = ["198.51.100.53"]
names = {{ "service.hmc.example" = "129.42.160.48" }}
[lig.modem]
port = "{far}"
{extra}
[expect]
name = "service.hmc.example"
name-address = "129.42.160.48"
unauthorized-host = "129.42.160.51"
[near-end]
account = "HMCACCT"
secret = "generated"
[near-end.modem]
port = "{near}"
{extra}
"""


def dial(bench: Path, number: str) -> dict[str, object]:
    command = [sys.executable, "-m", "rig", "dial", "--number", number, "--bench", str(bench), "--json"]
    command += ["--report", str(bench.parent / "report")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    report: dict[str, object] = json.loads(result.stdout)
    return report


def ppp_frames(bench: Path) -> list[tuple[bool, bytes]]:
    """What the capture of a report has of the line: whether it was sent, and the frame without address and control."""
    with (bench.parent / "report" / "call.pcapng").open("rb") as file:
        packets = [data for _, data in dpkt.pcapng.Reader(file)]
    return [(bool(data[0]), data[1:].removeprefix(b"\xff\x03")) for data in packets]


@pytest.fixture
def cable() -> Iterator[NullModem]:
    cable = NullModem()
    yield cable
    cable.close()


def test_null_modem_bench_runs_ppp_and_every_check_at_once(cable: NullModem, tmp_path: Path) -> None:
    bench = tmp_path / "null-modem.toml"
    near, far = cable.ends
    bench.write_text(LIG.format(near=near, far=far, extra='profile = "null-modem"\nspeed = 115200'))
    report = dial(bench, "0")
    checks = report["checks"]
    assert isinstance(checks, list)
    assert [check["held"] for check in checks] == [True] * 15


def test_what_a_real_line_carried_is_captured_by_pppd_itself(cable: NullModem, tmp_path: Path) -> None:
    """Without an exchange of the rig's to ask. Catches directions the wrong way round, and a password that is shown."""
    bench = tmp_path / "null-modem.toml"
    near, far = cable.ends
    bench.write_text(LIG.format(near=near, far=far, extra='profile = "null-modem"\nspeed = 115200'))
    dial(bench, "0")
    frames = ppp_frames(bench)
    asks = [frame for sent, frame in frames if sent and frame[:3] == b"\xc0\x23\x01"]
    answers = [frame for sent, frame in frames if not sent and frame[:3] == b"\xc0\x23\x02"]
    assert len(asks) == len(answers) == 1
    assert asks[0].endswith(b"********")
    terminated = [sent for sent, frame in frames if frame[:3] == b"\xc0\x21\x05"]
    assert terminated == [True], "the call's end is not in the capture"


def test_two_modem_bench_dials_from_one_and_answers_on_the_other(far_end: FarEnd, tmp_path: Path) -> None:
    ports = {
        name: far_end.exchange.ask("install", name=name, number=number)
        for name, number in (("bench-near", ""), ("bench-far", "555-0155"))
    }
    bench = tmp_path / "two-modems.toml"
    bench.write_text(LIG.format(near=ports["bench-near"], far=ports["bench-far"], extra=""))
    report = dial(bench, "555-0155")
    checks = report["checks"]
    assert isinstance(checks, list)
    assert [check["held"] for check in checks] == [True] * 15
    for name in ports:
        far_end.exchange.ask("remove", name=name)


def test_modem_behind_a_terminal_server_carries_ppp(far_end: FarEnd, tmp_path: Path) -> None:
    """RFC 2217: pppd has a pty here, the modem is at the other end of a TCP connection."""
    device = far_end.exchange.ask("install", name="remote", number="")
    account, _, user = far_end.secret.user.partition(".")
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(far_end.secret.password)
    with serving(device) as server:
        bench = tmp_path / "remote.toml"
        bench.write_text(
            f'[near-end]\naccount = "{account}"\nuser-id = "{user}"\nsecret = {{ file = "{secret}" }}\n'
            f'[near-end.modem]\nurl = "{server.url}"\n[expect]\nca = "{far_end.ca}"\n'
        )
        report = dial(bench, "1-800-555-0100")
    far_end.exchange.ask("remove", name="remote")
    checks = report["checks"]
    assert isinstance(checks, list)
    assert [check["held"] for check in checks if check["name"].startswith("TLS POST")] == [True] * 4
