"""``rig doctor``: each line ok, or with the command that mends it; and it can say no."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.doctor import State, examination, ports, programs
from rig.lab.native import NativeLab
from tests.cli.test_command_line import needs_uml, rig


@needs_uml
def test_a_machine_that_can_run_the_bench_is_0_and_every_fault_has_a_mend() -> None:
    done = rig("doctor", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["exit"], found["bench"]["state"]) == (0, "ok")
    groups = {finding["group"] for finding in found["findings"]}
    assert groups >= {"kernel", "programs", "rights", "ports", "lab", "hw-config"}
    assert not [finding for finding in found["findings"] if finding["state"] != "ok" and not finding["mend"]]


def test_where_nothing_can_run_it_is_4(tmp_path: Path) -> None:
    """Catches a doctor who is content with anything: without a lab's programs nothing runs here."""
    if not NativeLab().missing():
        pytest.skip("this machine's own kernel has PPP, so the bench runs here whatever else is missing")
    done = rig("doctor", PATH=str(tmp_path), RIG_UML="linux.uml")
    assert done.returncode == 4
    assert "MISSING" in done.stdout or "BROKEN" in done.stdout
    assert "apt-get install user-mode-linux" in done.stdout


def test_what_exits_4_points_to_it(tmp_path: Path) -> None:
    if not NativeLab().missing():
        pytest.skip("this machine's own kernel has PPP")
    done = rig("dial", "--number", "1", "--bench", "loopback", PATH=str(tmp_path), RIG_UML="linux.uml")
    assert done.returncode == 4
    assert "rig doctor" in done.stderr


def test_a_real_bench_without_its_modem_is_4(tmp_path: Path) -> None:
    bench = tmp_path / "mine.toml"
    bench.write_text('[near-end]\naccount = "A"\n[near-end.modem]\nserial = "no-such-modem"\n')
    done = rig("doctor", "--bench", str(bench))
    assert done.returncode == 4
    assert "bench mine" in done.stdout


def test_a_program_that_fails_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pppd", "dnsmasq"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n" if name == "pppd" else "#!/bin/sh\necho Version 9.9\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {finding.name: finding for finding in programs.programs()}
    assert found["pppd"].state is State.BROKEN
    assert found["pppd"].mend == "apt-get install --reinstall ppp"
    assert (found["dnsmasq"].state, found["dnsmasq"].found) == (State.OK, "9.9")


def test_a_wrong_file_of_hw_config_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("benches", "fences", "tls", "modems"):
        (tmp_path / kind).mkdir()
    (tmp_path / "benches" / "mine.toml").write_text("nonsense = 1\n")
    monkeypatch.setattr(examination, "HW_CONFIG", tmp_path)
    found = {finding.name: finding for finding in examination.hw_config()}
    assert found["benches/mine.toml"].state is State.BROKEN
    assert "nonsense" in found["benches/mine.toml"].found
    assert found["modems"].state is State.OK


def test_a_report_that_cannot_be_written_is_2_before_anything_is_dialled() -> None:
    done = rig("dial", "--number", "1", "--bench", "loopback", "--report", "/proc/nowhere")
    assert done.returncode == 2
    assert "/proc/nowhere" in done.stderr


@needs_uml
def test_quiet_is_only_the_verdict() -> None:
    done = rig("dial", "--number", "1-800-555-0101", "--bench", "loopback-instant", "--quiet")
    assert done.returncode == 10
    lines = [line for line in done.stderr.splitlines() if not line.startswith("lab:")]
    assert len(lines) == 2
    assert lines[0].startswith("BUSY: ")


@pytest.mark.parametrize(
    ("said", "state", "found"),
    [
        ("ModemManager 1.20.4\nCopyright (2008 - 2022)\n", State.OK, "1.20.4 running: it takes cellular modems' ports"),
        ("ModemManager 1.18.0\n", State.OK, "1.18.0 running"), ("mmd 2.0.1-dev\n", State.OK, "2.0.1-dev running"),
        ("ModemManager 1.12.8\n", State.BROKEN, "takes a new port"), ("", State.BROKEN, "takes a new port"),
    ],
)  # fmt: skip
def test_what_modem_manager_does_depends_on_its_version(said: str, state: State, found: str) -> None:
    told = ports.modem_manager(said, ours=False)
    assert (told.state, found in told.found) == (state, True), told
    assert bool(told.mend) is (state is not State.OK)
    assert ports.modem_manager(said, ours=True).state is State.OK
