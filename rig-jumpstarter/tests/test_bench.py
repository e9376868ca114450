"""A bench that jumpstarter shares: had, used, given back, and what becomes of it when one who takes part goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jumpstarter.client.core import DriverError
from jumpstarter.common.utils import serve
from programs import PROGRAMS, RIG, SECONDS, Started, await_port, await_that, free_port, in_lab, runs_with
from rig_farm.errors import CallFailedError, LeaseError
from rig_farm.lease import used
from rig_farm.sharing import SharedBench
from rig_jumpstarter.driver import RigBench

__all__ = ["in_lab"]  # a fixture
NUMBER, WRONG = "1-800-555-0100", "1-800-555-0199"
INSTANT = "loopback-instant"
HELD = ("dial", "--number", NUMBER, "--hold", "60")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("RIG_FARM_STATE", str(folder))
    return folder


@pytest.fixture
def lock(state: Path) -> Path:
    """The file that whoever runs on the bench has open."""
    return state / f"{INSTANT}.run"


def bench(**more: str) -> RigBench:
    return RigBench(bench=INSTANT, rig=str(RIG), **more)


def events(state: Path) -> list[dict]:
    return [json.loads(line) for line in (state / "leases.jsonl").read_text().splitlines()]


def test_a_bench_is_had_used_and_given_back_and_all_of_it_is_written_down(state, tmp_path):
    lines = []
    with serve(bench()) as client:
        outcome = client.run("dial", "--number", NUMBER, folder=tmp_path / "report", line=lines.append).check()
        assert (outcome.exit, outcome.verdict["outcome"]) == (0, "OK")
        assert any("OK:" in line for line in lines)
        assert not any("report: " in line for line in lines)  # of a folder that is not here
        assert lines == list(outcome.said)
        files = {path.name for path in outcome.folder.iterdir()}
        assert {"report.html", "verdict.json", "junit.xml", "call.pcapng"} <= files
        busy = client.dial(WRONG)
        with pytest.raises(CallFailedError, match=busy.verdict["outcome"]):
            busy.check()
    assert [event["event"] for event in events(state)] == ["acquired", "run", "run", "released"]
    with pytest.raises(LeaseError, match="not acquired"), used(SharedBench(INSTANT).lease, bool, bool):
        pass


def test_the_fence_is_probed_and_a_client_says_what_is_done_and_not_where():
    with serve(bench()) as client:
        assert client.fence(NUMBER).check().verdict["outcome"] == "OK"
        refused = client.connect("--bench", "loopback-leaky")
        assert refused.exit == 2
        assert "--bench is not for a client" in refused.message
        refused = client.dial(NUMBER, "--report-secrets")
        assert refused.exit == 2
        command = client.dial(NUMBER, "id")
        assert command.exit == 2
        assert not any("uid=" in line for line in command.said)
        with pytest.raises(DriverError, match="a bench takes arm, dial"):
            client.run("--lease=/tmp/of-mine", "dial")


def test_a_bench_that_another_exporter_has_is_refused(state):
    other = SharedBench(INSTANT, "true")
    other.take("labgrid's")
    with serve(bench()) as client:
        with pytest.raises(DriverError, match="another exporter of this machine has leased loopback-instant"):
            client.arm()
        other.end()
        assert client.arm().exit == 0
    first, *_ = events(state)
    assert (first["event"], first["place"]) == ("acquired", "labgrid's")


def test_one_that_nobody_uses_is_not_had(state):
    with serve(bench()):
        pass
    assert not state.exists()


def test_a_far_end_runs_as_long_as_the_bench_is_had(in_lab, state):
    secret, file = in_lab / "secret", in_lab / "far-end.toml"
    secret.touch(mode=0o600)
    secret.write_text("of the farm")
    file.write_text(f'extends = "{INSTANT}"\n[near-end]\nsecret = {{file = "{secret}"}}\n')
    with serve(bench(partner=f"lig --bench {file}")) as client:
        armed = client.arm()
        assert armed.exit == 0, armed
        assert any("ready: " in line for line in armed.said)
        far_end = state / f"{INSTANT}.far-end"
        assert runs_with(far_end)
    assert not runs_with(far_end)


def test_a_bench_that_is_closed_in_the_middle_of_a_call_is_taken_down(lock):
    up, ended = threading.Event(), []
    device = bench()
    with serve(device) as client:

        def dial() -> None:
            ended.append(client.run(*HELD, line=lambda text: up.set() if "is up" in text else None))

        call = threading.Thread(target=dial)
        call.start()
        assert up.wait(SECONDS)
        device.close()
        call.join(SECONDS)
    (outcome,) = ended
    assert (outcome.why, outcome.exit) == ("the lease has ended", 130)
    assert outcome.verdict["outcome"] == "INTERRUPTED"
    await_that(lambda: not runs_with(lock), "a process still has the bench")


class Exporter(Started):
    """`jmp run`, of one bench, over TCP."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        configuration = folder / "exporter.yaml"
        configuration.write_text(
            "apiVersion: jumpstarter.dev/v1alpha1\nkind: ExporterConfig\n"
            "metadata: {namespace: default, name: bench-pc}\nexport:\n  courier:\n"
            "    type: rig_jumpstarter.driver.RigBench\n"
            f"    config: {{bench: {INSTANT}, rig: {RIG}}}\n"
        )
        command = (PROGRAMS / "jmp", "run", "--exporter-config", configuration)
        super().__init__(folder / "exporter.log", *command, "--tls-grpc-listener", self.address, "--tls-grpc-insecure")
        await_port(self.address)

    def kill(self) -> None:
        """It, and the process that it has for each lease: with SIGKILL."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)

    def ask(self, *words: object) -> list[str]:
        """The command that a client gives."""
        inner = [str(PROGRAMS / "j"), "courier", *map(str, words)]
        return [str(PROGRAMS / "jmp"), "shell", "--tls-grpc", self.address, "--tls-grpc-insecure", "--", *inner]

    def asked(self, *words: object) -> subprocess.CompletedProcess[str]:
        """The command, run to its end; its words are all in its output."""
        command = self.ask(*words)
        return subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * SECONDS, check=False
        )


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    started = Exporter(tmp_path)
    try:
        yield started
    finally:
        started.end()


def test_by_command_the_rigs_words_its_exit_status_and_its_report_come(exporter, tmp_path):
    """Python before 3.11.4 puts what leaves an except* into a group (python/cpython#103590): `j` ends with 1 then."""
    report = tmp_path / "report"
    good = exporter.asked("dial", "--report", report, "--number", NUMBER)
    assert good.returncode == 0, good.stdout
    assert "OK: " in good.stdout
    assert (report / "report.html").exists()
    wrong = exporter.asked("dial", "--number", WRONG)
    assert "BUSY: dialling 1-800-555-0199" in wrong.stdout
    assert wrong.returncode == (10 if sys.version_info >= (3, 11, 4) else 1), wrong.stdout


def calling(exporter: Exporter) -> subprocess.Popen[str]:
    """A client's call that is up and held, with all processes of the client's in a group of their own."""
    client = subprocess.Popen(
        exporter.ask(*HELD), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    assert client.stdout is not None
    assert any("is up" in line for line in client.stdout)
    return client


def test_a_client_that_is_killed_ends_its_call(exporter, lock):
    with calling(exporter) as client:
        os.killpg(client.pid, signal.SIGKILL)
        await_that(lambda: not runs_with(lock), "a process still has the bench")
    again = exporter.asked("dial", "--number", NUMBER)
    assert again.returncode == 0, again.stdout


def test_an_exporter_that_is_killed_ends_the_call_and_leaves_nothing_running(exporter, lock):
    with calling(exporter) as client:
        exporter.kill()
        await_that(lambda: not runs_with(lock), "a process still has the bench")
        assert client.wait(SECONDS) != 0
