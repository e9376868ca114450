"""What the tests of programs share: an exchange, a modem for the program, and somebody whom it calls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.serial import locks
from rig.parts.exchange.switch import Entry
from rig.parts.rack import FarEnd
from rig.run.owner import Owner
from tests.programs.ppp import idle
from tests.programs.running import eventually
from tests.programs.station import Station, answering
from tests.unit.exchange_process import Town, exchange

NUMBER, BUSY = "555-0150", "555-0151"
PROGRAMS = {"wvdial", "chat", "mgetty", "kermit", "cu", "minicom", "runscript", "picocom", "sz", "rz"}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with exchange(tmp_path_factory.mktemp("exchange"), Entry(BUSY, "busy")) as town:
        yield town


@pytest.fixture
def port(town: Town) -> Iterator[str]:
    """The program's own modem: the path of its port."""
    with town.modem() as (_, port):
        yield port


@pytest.fixture
def station(town: Town) -> Iterator[Station]:
    """Whom the program calls: answers at the first ring."""
    with answering(town, NUMBER) as station:
        yield station


def left() -> list[str]:
    """The programs that run, and the lock files of processes that have ended: the gateway has some of its own."""
    found = [file.name for file in locks.FOLDER.glob("LCK..*") if locks.read_owner(file) is None]
    for entry in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if (name := entry.read_text().strip()) in PROGRAMS:
                found.append(f"{name} {entry.parent.name}")
    return found


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No process and no lock file of a program's stays behind, whatever a test did with it."""
    before = left()
    yield
    eventually(f"the end of {left()}", lambda: set(left()) <= set(before), 3)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for a program's settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def network(owner: Owner) -> Iterator[NetworkNamespace]:
    """A network of the program's own, in which its PPP interface appears."""
    network = NetworkNamespace(f"{owner.name}-program")
    network.create()
    yield network
    network.remove()


@pytest.fixture
def near(far_end: FarEnd) -> Iterator[str]:
    """A modem from which the gateway can be called: the path of its port."""
    idle(far_end)
    port: str = far_end.exchange.ask("install", name="program", number="")
    yield port
    far_end.exchange.ask("remove", name="program")
