"""A farm on loopback: a real coordinator, real exporters, and real ssh to the machine where they are, which is this."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages
from labgrid.remote.generated.labgrid_coordinator_pb2_grpc import CoordinatorStub
from ssh_server import SshServer

PROGRAMS = Path(sys.executable).parent
RIG = Path(os.environ.get("RIG") or Path(__file__).resolve().parents[2] / ".venv/bin/rig")
SECONDS = 60.0


class Started:
    """A program, its words as they come in a file, and its end."""

    def __init__(self, log: Path, *command: object, cwd: Path | None = None, **more: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env={**os.environ, **more},
            )

    def await_word(self, word: str, count: int = 1) -> None:
        end = time.monotonic() + SECONDS
        while self.log.read_text().count(word) < count:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(
                    f"waited {SECONDS:g} s for {word!r} of {self.process.args}: {self.log.read_text()}"
                )
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(SECONDS)


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
            RIG_LABGRID_STATE=str(self.state(name)), PYTHONUNBUFFERED="1",
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def await_port(address: str) -> None:
    host, port = address.split(":")
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), 1.0).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def await_that(held: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not held():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s: {what}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Any host's name is this machine, by ssh."""
    with SshServer(tmp_path_factory.mktemp("ssh")) as server:
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{server.folder}{os.pathsep}{before}"
        yield server
        os.environ["PATH"] = before


@pytest.fixture
def in_lab() -> Iterator[Path]:
    """A folder that the rig's lab has, too: it has a /tmp of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def farm(tmp_path: Path, ssh: SshServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackFarm]:
    started = LoopbackFarm(tmp_path)
    monkeypatch.setenv("LG_COORDINATOR", started.address)
    try:
        yield started
    finally:
        started.end()
