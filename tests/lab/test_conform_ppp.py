"""``rig conform ppp`` against pppd: all that it holds, and the sentences of the RFCs that it does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SECONDS = 280.0
"""For all cases, on a machine that does much else: alone they take 40 s."""
PATIENT = ("--answer", "3", "--restart-timer", "3")
"""On a machine that does much else."""
KNOWN = {
    "4.5": "a second answer to one request is discarded, whatever the state",
    "4.6": "the same",
    "5.6": "the same",
    "5.7": "the same",
    "6.6": "the same",
    "8.5": "a Code-Reject of what LCP cannot do without ends nothing",
    "16.4": "a magic number of zero is acknowledged",
    "30.3": "an Ack of PAP is taken whatever its identifier is",
    "31.4": "a Success of CHAP is taken whatever its identifier is",
    "18.4": "the kernel sends LCP's codes above 7 without address and control field, once that is agreed on",
}
"""What pppd 2.4.9 with Linux's ppp_async does otherwise, and why; docs/conform.md has it."""


@pytest.mark.timeout(300)
def test_pppd_holds_all_but_what_is_known_of_it(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    command = [sys.executable, "-m", "rig", "conform", "ppp", "--json", "--quiet", "--junit", str(junit), *PATIENT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    verdict = json.loads(done.stdout)
    failed = {check["name"]: check["observed"] for check in verdict["checks"] if check["held"] is False}
    assert set(failed) == set(KNOWN), failed
    assert [check["name"] for check in verdict["checks"] if check["held"] is None] == ["14.3"]
    told = [packet for check in verdict["checks"] for packet in check["details"]["record"]]
    assert any("PAP Authenticate-Request" in packet for packet in told)
    assert not [packet for packet in told if re.search("PAP Authenticate-Request id=[0-9]+.", packet)], "a password"
    assert verdict["coverage"] == "113 of 113"
    assert (done.returncode, verdict["exit"]) == (1, 1)
    assert len(ElementTree.parse(junit).findall(".//failure")) == len(KNOWN)


@pytest.mark.parametrize("waits", ["", "silent"])
def test_a_program_of_ones_own_is_held_to_some_of_them(waits: str) -> None:
    """Also one that says nothing before it is spoken to."""
    pppd = f"/usr/sbin/pppd {{port}} local nodetach noauth nolock nodefaultroute {waits} 10.1.0.1:10.1.0.2"
    command = [sys.executable, "-m", "rig", "conform", "ppp", "--against", pppd, "10.1", "7.1", "19", *PATIENT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK: 3 checks held" in done.stderr


def test_what_answers_a_number_is_called_for_each_case() -> None:
    """The rig's own gateway, which waits to be spoken to; and a number where a modem answers, and nothing else does."""
    command = [
        sys.executable,
        "-m",
        "rig",
        "conform",
        "ppp",
        "--bench",
        "loopback-instant",
        "--quiet",
        "--json",
        *PATIENT,
    ]
    done = subprocess.run([*command, "10.1", "7.1"], capture_output=True, text=True, timeout=SECONDS, check=False)
    verdict = json.loads(done.stdout)
    assert [(check["name"], check["held"]) for check in verdict["checks"]] == [("7.1", True), ("10.1", True)], (
        done.stderr
    )
    assert verdict["device"] == "1-800-555-0100, called from loopback-instant"
    nobody = [*command, "--number", "1-800-555-0106", "10.1"]
    done = subprocess.run(nobody, capture_output=True, text=True, timeout=SECONDS, check=False)
    [check] = json.loads(done.stdout)["checks"]
    assert (check["held"], done.returncode) == (False, 1)
    assert "nothing that speaks PPP answers 1-800-555-0106 within 10 s" in check["observed"]


def test_a_bench_without_a_modem_is_no_caller() -> None:
    command = [sys.executable, "-m", "rig", "conform", "ppp", "--bench", "internet", "10.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert "bench internet dials no number" in done.stderr
