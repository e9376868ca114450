"""A farm on loopback: a real coordinator, real exporters, and real ssh to the machine where they are, which is this."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages
from labgrid.remote.generated.labgrid_coordinator_pb2_grpc import CoordinatorStub
from programs import PROGRAMS, RIG, SECONDS, Started, await_port, free_port, in_lab
from ssh_server import SshServer

__all__ = ["in_lab"]  # a fixture


class LoopbackFarm:
    """Its coordinator, and any number of exporters, each as on a machine of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.exporters: dict[str, Started] = {}
        self.coordinator = self.start_coordinator()

    def start_coordinator(self) -> Started:
        (self.folder / "coordinator").mkdir(exist_ok=True)
        log = self.folder / "coordinator.log"
        started = Started(log, PROGRAMS / "labgrid-coordinator", "-l", self.address, cwd=self.folder / "coordinator")
        await_port(self.address)
        self.coordinator = started
        return started

    def state(self, exporter: str) -> Path:
        return self.folder / f"state-{exporter}"

    def export(self, name: str, **bench: str) -> Started:
        """An exporter of one bench, and a place of the same name that has it."""
        configuration = self.folder / f"{name}.yaml"
        lines = "".join(f"    {key}: {value!r}\n" for key, value in {"rig": str(RIG), **bench}.items())
        configuration.write_text(f"bench:\n  RigBench:\n{lines}")
        log = self.folder / f"{name}.log"
        self.exporters[name] = started = Started(
            log, PROGRAMS / "rig-labgrid-exporter", "-c", self.address, "-n", name, "--hostname", name, configuration,
            RIG_FARM_STATE=str(self.state(name)), PYTHONUNBUFFERED="1",
        )  # fmt: skip
        started.await_word("Exporter ready", log.read_text().count("Exporter ready") + 1)
        return started

    def place(self, name: str, **tags: str) -> None:
        """One that has the bench of the exporter of its name."""
        pattern = f"{name}/*/NetworkRigBench/*"
        with grpc.insecure_channel(self.address) as channel:
            stub = CoordinatorStub(channel)
            stub.AddPlace(messages.AddPlaceRequest(name=name))
            stub.AddPlaceMatch(messages.AddPlaceMatchRequest(placename=name, pattern=pattern))
            stub.SetPlaceTags(messages.SetPlaceTagsRequest(placename=name, tags=tags))

    def client(self, *words: str, user: str = "anna", check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAMS / "labgrid-client", "-x", self.address, *words],
            text=True,
            capture_output=True,
            check=check,
            timeout=SECONDS,
            env={**os.environ, "LG_USERNAME": user, "LG_HOSTNAME": "desk"},
        )

    def end(self) -> None:
        for started in [*self.exporters.values(), self.coordinator]:
            started.end()


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Any host's name is this machine, by ssh."""
    with SshServer(tmp_path_factory.mktemp("ssh")) as server:
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{server.folder}{os.pathsep}{before}"
        yield server
        os.environ["PATH"] = before


@pytest.fixture
def farm(tmp_path: Path, ssh: SshServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackFarm]:
    started = LoopbackFarm(tmp_path)
    monkeypatch.setenv("LG_COORDINATOR", started.address)
    try:
        yield started
    finally:
        started.end()
