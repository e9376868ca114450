"""Benches in a farm: had, used, given back; and what becomes of them when one of those who take part goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import LoopbackFarm
from programs import RIG, await_that, runs_with
from rig_farm.errors import BenchLostError, CallFailedError, LeaseError
from rig_labgrid.places import Tags
from rig_labgrid.places import farm as session
from rig_labgrid.remote import Bench

NUMBER = "1-800-555-0100"
INSTANT = "loopback-instant"


def events(farm: LoopbackFarm, exporter: str) -> list[dict]:
    return [json.loads(line) for line in (farm.state(exporter) / "leases.jsonl").read_text().splitlines()]


def runs_on(farm: LoopbackFarm, exporter: str) -> set[int]:
    """The processes that have an exporter's bench."""
    return runs_with(farm.state(exporter) / f"{INSTANT}.run")


class Dialling(threading.Thread):
    """A call that is held, until somebody ends it."""

    def __init__(self, bench: Bench, folder: Path, *words: str) -> None:
        super().__init__(daemon=True)
        self.bench, self.folder, self.words = bench, folder, words
        self.up = threading.Event()
        self.result: object = None
        self.start()

    def run(self) -> None:
        def line(text: str) -> None:
            if "is up" in text:
                self.up.set()

        try:
            self.result = self.bench.run("dial", ["--number", NUMBER, *self.words], folder=self.folder, line=line)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.result = error


def test_a_bench_is_had_used_and_given_back_and_all_of_it_is_written_down(farm, tmp_path):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    with session() as found, found.had("alpha") as bench:
        outcome = bench.run("dial", ["--number", NUMBER], folder=tmp_path / "report").check()
    assert outcome.exit == 0
    assert outcome.verdict["outcome"] == "OK"
    assert any("OK:" in line for line in outcome.said)
    assert not any("report: " in line for line in outcome.said)  # of a folder that is not here
    files = {path.name for path in outcome.folder.iterdir()}
    assert {"report.html", "verdict.json", "junit.xml", "call.pcapng"} <= files
    acquired, run, released = events(farm, "alpha")
    assert (acquired["event"], run["event"], released["event"]) == ("acquired", "run", "released")
    assert acquired["place"] == run["place"] == "alpha"
    assert (run["command"], run["exit"], run["bench"]) == ("dial", 0, INSTANT)
    with pytest.raises(LeaseError, match="not acquired"):
        bench.run("dial", ["--number", NUMBER])


def test_what_the_rig_says_of_a_call_that_fails_comes_home_too(farm):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    with session() as found, found.had("alpha") as bench:
        outcome = bench.run("dial", ["--number", "1-800-555-0199"])
    assert outcome.exit != 0
    with pytest.raises(CallFailedError, match=outcome.verdict["outcome"]):
        outcome.check()


def test_a_client_says_what_is_done_and_not_where(farm):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    with session() as found, found.had("alpha") as bench:
        outcome = bench.run("dial", ["--number", NUMBER, "--bench", "loopback-leaky"])
        command = bench.run("dial", ["--number", NUMBER, "id"])
    assert outcome.exit == 2
    assert "--bench is not for a client" in outcome.message
    assert command.exit == 2
    assert not any("uid=" in line for line in command.said)


def test_one_who_comes_second_does_not_have_the_bench(farm):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    farm.client("-p", "alpha", "acquire", user="anna")
    second = farm.client("-p", "alpha", "acquire", user="bert", check=False)
    assert second.returncode != 0
    assert "already acquired by desk/anna" in second.stdout + second.stderr
    farm.client("-p", "alpha", "release", user="anna")
    farm.client("-p", "alpha", "acquire", user="bert")


def test_a_place_is_found_by_its_tags(farm):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha", modem="conexant", line="simulator")
    farm.place("beta", modem="zoom")
    with session() as found:
        assert found.free(Tags.read("modem=*")) == ["alpha", "beta"]
        assert found.free(Tags.read("modem=*,line=sim*")) == ["alpha"]
        assert found.free(Tags.read("modem=usr")) == []
        with found.had("alpha"):
            assert found.free(Tags.read("modem=*")) == ["beta"]


def test_an_exporter_that_is_killed_ends_the_call_and_leaves_nothing_running(farm, tmp_path):
    exporter = farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    with session() as found, found.had("alpha") as bench:
        call = Dialling(bench, tmp_path / "report", "--hold", "60")
        assert call.up.wait(60)
        exporter.end(signal.SIGKILL)
        call.join(60)
    assert call.result.why == "the lease has ended"
    assert call.result.exit == 130
    assert call.result.verdict["outcome"] == "INTERRUPTED"
    await_that(lambda: not runs_on(farm, "alpha"), "a process still has the bench")
    farm.export("alpha", bench=INSTANT)
    with session() as found:
        await_that(lambda: found.free(Tags(())) == ["alpha"], "the place is free again")
        with found.had("alpha") as bench:
            bench.run("dial", ["--number", NUMBER]).check()


def test_a_client_that_is_killed_ends_its_call(farm, tmp_path):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    with session() as found, found.had("alpha") as bench:
        with subprocess.Popen(bench.command("dial", ["--number", NUMBER, "--hold", "60"]),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:  # fmt: skip
            assert client.stdout is not None
            assert any(b"is up" in line for line in client.stdout)
            client.kill()
        await_that(lambda: not runs_on(farm, "alpha"), "a process still has the bench")
        bench.run("dial", ["--number", NUMBER]).check()


def test_a_coordinator_that_comes_back_has_its_benches_again(farm):
    exporter = farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    saved = farm.folder / "coordinator" / "places.yaml"
    await_that(lambda: saved.exists() and "alpha" in saved.read_text(), "the coordinator has not saved its places")
    farm.coordinator.end(signal.SIGKILL)
    farm.start_coordinator()
    exporter.await_word("Exporter ready", 2)
    with session() as found, found.had("alpha") as bench:
        bench.run("dial", ["--number", NUMBER]).check()


def test_a_far_end_runs_as_long_as_the_bench_is_had(farm, in_lab):
    secret, file = in_lab / "secret", in_lab / "far-end.toml"
    secret.touch(mode=0o600)
    secret.write_text("of the farm")
    file.write_text(f'extends = "{INSTANT}"\n[near-end]\nsecret = {{file = "{secret}"}}\n')
    farm.export("alpha", bench=INSTANT, partner=f"lig --bench {file}")
    farm.place("alpha")
    with session() as found:
        with found.had("alpha") as bench:
            armed = bench.run("arm")
            assert armed.exit == 0, armed
            assert any("ready: " in line for line in armed.said)
            lease = json.loads((farm.state("alpha") / f"{INSTANT}.lease").read_text())
            assert Path(f"/proc/{lease['far_end_pid']}").exists()
        await_that(lambda: not Path(f"/proc/{lease['far_end_pid']}").exists(), "the far end still runs")


def test_a_far_end_that_does_not_come_up_is_told_and_the_bench_stays_in_the_farm(farm):
    farm.export("alpha", bench=INSTANT, partner="lig --bench no-such-bench")
    farm.place("alpha")
    with session() as found:
        for _ in range(2):
            with found.had("alpha") as bench:
                armed = bench.run("arm")
            assert armed.exit == 4
            assert "the far end has ended" in armed.why
            assert "no-such-bench" in " ".join(armed.said)


def test_a_machine_that_is_not_reached_is_a_lost_bench(farm):
    lost = Bench(("ssh", "-p", "1", "alpha", "--"), "/nowhere/rig-on-bench", "/nowhere/lease")
    with pytest.raises(BenchLostError, match="not reached"):
        lost.run("dial")


def test_labgrids_own_plugin_takes_a_bench_from_idle_to_fenced(farm, tmp_path):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha")
    farm.client("-p", "alpha", "acquire", user=os.environ.get("LG_USERNAME", "anna"))
    (tmp_path / "env.yaml").write_text(
        "targets:\n  main:\n    resources:\n      RemotePlace: {name: alpha}\n    drivers:\n"
        f"      RigBenchDriver: {{number: {NUMBER}, reports: {tmp_path}/reports}}\n      RigBenchStrategy: {{}}\n"
        "imports: [rig_labgrid]\n"
    )
    (tmp_path / "test_bench.py").write_text(
        "def test_a_call(strategy, target):\n"
        "    strategy.transition('fenced')\n"
        "    driver = target.get_driver('RigBenchDriver')\n"
        "    assert driver.dial('1-800-555-0199').exit != 0\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--lg-env", "env.yaml", "-p", "no:cacheprovider", "test_bench.py"],
        cwd=tmp_path, text=True, capture_output=True, timeout=300,
        env={**os.environ, "LG_USERNAME": "anna", "LG_HOSTNAME": "desk"},
    )  # fmt: skip
    said = "\n".join(str(path) + ": " + path.read_text() for path in (tmp_path / "reports").glob("*/verdict.json"))
    assert ran.returncode == 0, ran.stdout + ran.stderr + said  # of what labgrid says the cause is what comes first
    assert "1 passed" in ran.stdout
    verbs = [event["command"] for event in events(farm, "alpha") if event["event"] == "run"]
    assert verbs == ["dial", "fence", "dial"]
    assert (tmp_path / "reports" / "main-002-dial" / "report.html").exists()


def soak(farm: LoopbackFarm, folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [RIG, "soak", folder, "--place", "modem=*", *words], text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "RIG_LABGRID": str(Path(sys.executable).with_name("rig-labgrid-farm"))},
    )  # fmt: skip


def test_a_soak_goes_over_all_benches_that_are_free_and_one_report_has_it(farm, tmp_path):
    for name in ("alpha", "beta"):
        farm.export(name, bench=INSTANT)
        farm.place(name, modem="soft")
    with soak(farm, tmp_path / "soak", "--calls", "6", "--json") as run:
        out, told = run.communicate(timeout=300)
    assert run.returncode == 0, told
    verdict = json.loads(out)
    assert (verdict["good"], len(verdict["calls"])) == (6, 6)
    assert {call["arm"] for call in verdict["calls"]} == {"alpha", "beta"}
    assert [call["number"] for call in verdict["calls"]] == [1, 2, 3, 4, 5, 6]
    assert [arm["name"] for arm in verdict["arms"]] == ["alpha", "beta"]
    assert "alpha" in (tmp_path / "soak" / "report.html").read_text()
    with session() as found:
        assert found.free(Tags.read("modem=*")) == ["alpha", "beta"]


def test_a_bench_that_dies_costs_the_soak_only_its_running_call(farm, tmp_path):
    for name in ("alpha", "beta"):
        farm.export(name, bench=INSTANT)
        farm.place(name, modem="soft")
    with soak(farm, tmp_path / "soak", "--calls", "12", "--pause", "2", "--json") as run:
        log = tmp_path / "soak" / "calls.jsonl"
        await_that(lambda: log.exists() and '"arm":"alpha"' in log.read_text(), "alpha has made no call", 120)
        farm.exporters["alpha"].end(signal.SIGKILL)
        out, told = run.communicate(timeout=300)
    assert run.returncode == 1, told
    verdict = json.loads(out)
    assert len(verdict["calls"]) == 12
    assert verdict["outcomes"] == {"OK": 11, "BENCH LOST": 1}
    (lost,) = (call for call in verdict["calls"] if call["outcome"] == "BENCH LOST")
    assert lost["arm"] == "alpha"


def test_a_soak_without_a_free_place_says_so_and_makes_no_call(farm, tmp_path):
    with soak(farm, tmp_path / "soak", "--calls", "3") as run:
        _, told = run.communicate(timeout=60)
    assert run.returncode == 4, told
    assert "no place with these tags is free" in told


def test_a_soak_that_is_interrupted_gives_its_benches_back_and_goes_on_later(farm, tmp_path):
    farm.export("alpha", bench=INSTANT)
    farm.place("alpha", modem="soft")
    with soak(farm, tmp_path / "soak", "--calls", "5", "--pause", "3") as run:
        log = tmp_path / "soak" / "calls.jsonl"
        await_that(lambda: log.exists() and '"arm":"alpha"' in log.read_text(), "alpha has made no call", 120)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=120)
    assert run.returncode == 130, told
    made = len(log.read_text().splitlines()) - 1
    assert 1 <= made < 5
    await_that(lambda: not runs_on(farm, "alpha"), "a process still has the bench")
    with soak(farm, tmp_path / "soak", "--calls", "5") as run:
        _, told = run.communicate(timeout=120)
    assert run.returncode == 0, told
    assert f"going on after {made} calls" in told
