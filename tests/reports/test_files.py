"""What stands beside the page: the capture as tshark reads it, the verdict, JUnit's XML, the AT transcript."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rig.run import transcript
from tests.reports.conftest import PROJECT

RunOf = Callable[[str], Path]
SECONDS = 100
WRONG = "_ws.malformed || _ws.expert.severity == error"


def tshark(capture: Path, *options: str) -> list[list[str]]:
    words = ["tshark", "-r", str(capture), *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def fields(capture: Path, *names: str, only: str = "") -> list[list[str]]:
    wanted = [word for name in names for word in ("-e", name)]
    return tshark(capture, "-T", "fields", *wanted, *(["-Y", only] if only else []))


@pytest.mark.parametrize("name", ["good", "borrowed", "inbound", "refused", "check"])
@pytest.mark.timeout(400)
def test_a_call_decodes_without_an_error(run_of: RunOf, name: str) -> None:
    capture = run_of(name) / "call.pcapng"
    assert not tshark(capture, "-Y", f"(lcp || pap || ipcp || l2tp) && ({WRONG})")
    seen = Counter(protocol for (protocols,) in fields(capture, "frame.protocols") for protocol in protocols.split(":"))
    wanted = {"lcp", "pap"} | ({"ipcp"} if name != "refused" else set()) | ({"l2tp"} if name == "borrowed" else set())
    assert wanted <= set(seen)


@pytest.mark.timeout(400)
def test_directions_and_interfaces_are_told_apart(run_of: RunOf) -> None:
    """Catches a capture in which what was sent and what was received look the same."""
    capture = run_of("good") / "call.pcapng"
    sources = [fields(capture, "_ws.col.Source", only=f"pap.code == {code}") for code in (1, 2)]
    assert sources == [[["DTE"]], [["DCE"]]], "the near end, the DTE, asks"
    interfaces = {name for (name,) in fields(run_of("borrowed") / "call.pcapng", "frame.interface_name")}
    assert interfaces == {"line of i5os-1", "i5os0, to the partition"}


@pytest.mark.parametrize("name", ["good", "borrowed", "inbound"])
@pytest.mark.timeout(400)
def test_no_password_is_in_any_file(run_of: RunOf, name: str) -> None:
    """On the line of a borrowed modem it passes twice: there, and within L2TP."""
    asked = fields(run_of(name) / "call.pcapng", "pap.password", only="pap.code == 1")
    assert len(asked) == (2 if name == "borrowed" else 1)
    assert all(set(password) == {"*"} for (password,) in asked)


@pytest.mark.timeout(400)
def test_a_password_that_is_asked_for_is_there(tmp_path: Path) -> None:
    """Catches a mask that is no mask of anything: without it, the very same packet has the secret."""
    words = ["dial", "--number", "1-800-555-0100", "--bench", "loopback-instant", "--report-secrets"]
    command = [sys.executable, "-m", "rig", *words, "--report", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS, cwd=PROJECT)
    ((password,),) = fields(tmp_path / "call.pcapng", "pap.password", only="pap.code == 1")
    assert "*" not in password
    others = [file for file in tmp_path.iterdir() if file.name != "call.pcapng"]
    assert len(others) == 4
    assert not [file for file in others if password in file.read_text()]


@pytest.mark.timeout(400)
def test_with_the_keys_that_were_asked_for_a_vpn_can_be_read(run_of: RunOf) -> None:
    """By Wireshark's own table: without it ESP is ESP, with it the servers' TLS is inside, and every check is right."""
    folder = run_of("vpn")
    keys = (folder / "esp_sa").read_text().splitlines()
    assert (folder / "esp_sa").stat().st_mode & 0o077 == 0
    assert len(keys) == 2
    table = [word for line in keys for word in ("-o", f"uat:esp_sa:{line}")]
    decoding = ("-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE")
    inner = ("-Y", "l2tp && tcp.dstport == 443", "-T", "fields", "-e", "ip.dst")
    assert not tshark(folder / "call.pcapng", "-Y", "ip && !isakmp && !esp")
    assert not tshark(folder / "call.pcapng", *inner)
    servers = {
        addresses[0].rpartition(",")[2] for addresses in tshark(folder / "call.pcapng", *table, *decoding, *inner)
    }
    assert "129.42.160.48" in servers
    assert tshark(folder / "call.pcapng", *table, *decoding, "-Y", "esp.icv_good == 1")


@pytest.mark.timeout(400)
def test_with_the_key_that_was_asked_for_what_ike_agreed_on_can_be_read(run_of: RunOf) -> None:
    """Quick Mode, which is encrypted, is a payload of cipher text without it, and with it a proposal of ESP."""
    folder = run_of("vpn")
    [key] = (folder / "ikev1_decryption_table").read_text().splitlines()
    assert (folder / "ikev1_decryption_table").stat().st_mode & 0o077 == 0
    quick_mode = ("-Y", "isakmp.exchangetype == 32 && isakmp.prop.protoid == 3")
    assert not tshark(folder / "call.pcapng", *quick_mode)
    assert tshark(folder / "call.pcapng", "-o", f"uat:ikev1_decryption_table:{key}", *quick_mode)


@pytest.mark.timeout(400)
def test_no_keys_are_there_that_nobody_asked_for(run_of: RunOf) -> None:
    for table in ("esp_sa", "ikev1_decryption_table"):
        assert not (run_of("multi-hop") / table).exists()
    capture = run_of("multi-hop") / "call.pcapng"
    interfaces = {name for (name,) in fields(capture, "frame.interface_name")}
    assert interfaces == {"i5os0, to the partition", "the partition's, to the customer's router"}
    assert not tshark(capture, "-Y", f"(isakmp || l2tp || chap) && ({WRONG})")


@pytest.mark.timeout(400)
def test_junit_counts_what_failed(run_of: RunOf) -> None:
    good = ElementTree.parse(run_of("good") / "junit.xml").getroot()
    assert (good.get("tests"), good.get("failures")) == ("16", "0")
    refused = ElementTree.parse(run_of("refused") / "junit.xml").getroot()
    assert refused.get("failures") == "1"
    assert "Login incorrect" in str(refused.find("testcase/failure").get("message"))  # type: ignore[union-attr]
    leaking = ElementTree.parse(run_of("leaking") / "junit.xml").getroot()
    failed = [case.get("name") for case in leaking if case.find("failure") is not None]
    assert any("other port of a server" in str(name) for name in failed)


@pytest.mark.timeout(400)
def test_verdict_and_transcript_are_whole(run_of: RunOf) -> None:
    verdict = json.loads((run_of("refused") / "verdict.json").read_text())
    assert [attempt["result"] for attempt in verdict["attempts"]] == ["BUSY", "CONNECT"]
    moments = transcript.load(run_of("refused") / "at.jsonl")
    said = b"".join(moment.data for moment in moments if moment.way == "from")
    assert b"BUSY" in said
    assert b"CONNECT" in said


@pytest.mark.timeout(400)
def test_a_soak_goes_on_where_it_was(run_of: RunOf, tmp_path: Path) -> None:
    """Three calls are on disk: asked for four, it makes one."""
    folder = shutil.copytree(run_of("soak"), tmp_path / "soak")
    words = ["soak", "--number", "1-800-555-0100", "--bench", "loopback-instant", "--calls", "4", "--json"]
    command = [sys.executable, "-m", "rig", words[0], str(folder), *words[1:]]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS, cwd=PROJECT)
    verdict = json.loads(done.stdout)
    assert (verdict["good"], [call["number"] for call in verdict["calls"]]) == (4, [1, 2, 3, 4])
    assert "going on after 3 calls" in done.stderr
