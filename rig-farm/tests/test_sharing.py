"""A bench that is shared: who has it, and what runs meanwhile."""

from __future__ import annotations

import pytest
from programs import runs_with
from rig_farm.errors import LeaseError
from rig_farm.lease import used
from rig_farm.sharing import SharedBench


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_FARM_STATE", str(tmp_path))
    return tmp_path


def idle(folder) -> str:
    """A rig that does nothing until it is ended."""
    rig = folder / "rig"
    rig.write_text("#!/bin/sh\nexec sleep 600\n")
    rig.chmod(0o755)
    return str(rig)


def test_a_bench_is_had_by_one_whoever_exports_it():
    first, second = SharedBench("a-bench", "true"), SharedBench("a-bench", "true")
    first.take("anna")
    with pytest.raises(LeaseError, match="another exporter of this machine has leased a-bench"):
        second.take("bert")
    with used(first.lease, bool, bool) as lease:
        assert (lease.place, lease.bench, lease.far_end_pid) == ("anna", "a-bench", 0)
    assert first.end()
    second.take("bert")
    assert second.end()


def test_a_far_end_runs_as_long_as_its_bench_is_had(tmp_path):
    bench = SharedBench("a-bench", idle(tmp_path), "lig")
    bench.take("anna")
    assert runs_with(bench.lease.with_suffix(".far-end"))
    bench.end()
    assert not runs_with(bench.lease.with_suffix(".far-end"))


def test_who_may_not_have_a_bench_leaves_no_far_end_running(tmp_path):
    first, second = SharedBench("a-bench", "true"), SharedBench("a-bench", idle(tmp_path), "lig")
    first.take("anna")
    with pytest.raises(LeaseError):
        second.take("bert")
    assert not runs_with(second.lease.with_suffix(".far-end"))
    first.end()


def test_benches_have_leases_of_their_own():
    names = {SharedBench(bench).lease.name for bench in ("loopback", "loopback-instant", "/etc/rig/courier.toml")}
    assert names == {"loopback.lease", "loopback-instant.lease", "-etc-rig-courier.lease"}


@pytest.mark.parametrize(("bench", "rig", "there"), [("loopback", "true", True), ("./no-such.toml", "true", False),
                                                     ("loopback", "./no-such-rig", False)])  # fmt: skip
def test_it_is_available_while_its_file_and_its_rig_are_there(bench, rig, there):
    assert SharedBench(bench, rig).available is there
