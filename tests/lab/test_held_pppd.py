"""A pppd that is held until a call connects, and will record the line: the modem's answers are not its own."""

from __future__ import annotations

import os
import select
import signal
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.drivers.serial import locks
from rig.run.owner import Owner

ANSWER = b"\r\nNO CARRIER\r\n"
NOTICE_SECONDS = 0.05
"""As long as whoever else reads the line is given to take what comes."""
END_SECONDS = 10.0


@dataclass(frozen=True)
class Line:
    """A port, and the modem's side of it."""

    modem: int
    port: int

    def others(self) -> dict[int, int]:
        """Who else has the port open: process ids, and a handle of each."""
        return {pid: os.pidfd_open(pid) for pid in locks.holders(Path(os.ttyname(self.port)))}


def await_end(processes: dict[int, int]) -> None:
    for pid, handle in processes.items():
        ended, _, _ = select.select([handle], [], [], END_SECONDS)
        assert ended, f"{locks.process_name(pid)} has the port open {END_SECONDS:g} s later"
        os.close(handle)


@pytest.fixture
def line() -> Iterator[Line]:
    modem, port = os.openpty()
    tty.setraw(port)
    os.set_blocking(port, False)
    yield Line(modem, port)
    os.close(modem)
    os.close(port)


@pytest.fixture
def namespace(owner: Owner) -> Iterator[NetworkNamespace]:
    namespace = owner.namespace("held")
    yield namespace
    namespace.remove()


def held(namespace: NetworkNamespace, line: Line, folder: Path) -> Pppd:
    return Pppd(line.port, PppOptions(("noauth",), record=folder / "record"), namespace, folder)


def test_pppd_that_will_record_takes_no_answer_of_the_modem_before_the_call(
    namespace: NetworkNamespace, line: Line, tmp_path: Path
) -> None:
    """Catches pppd's copying process at the same port: who reads first has the answer, and a call is lost by chance."""
    pppd = held(namespace, line, tmp_path)
    lost = []
    for number in range(20):
        os.write(line.modem, ANSWER)
        time.sleep(NOTICE_SECONDS)
        if not select.select([line.port], [], [], 0)[0] or os.read(line.port, 100) != ANSWER:
            lost.append(number)
    pppd.stop()
    assert lost == []


def test_pppd_that_is_stopped_before_the_call_lets_the_port_go(
    namespace: NetworkNamespace, line: Line, tmp_path: Path
) -> None:
    """Catches the copying process left as it was, with the port open and so the modem off hook."""
    pppd = held(namespace, line, tmp_path)
    others = line.others()
    assert len(others) == 3, "pppd, what copies for it, and its script"
    pppd.stop()
    await_end(others)


def test_port_is_let_go_when_the_rig_is_killed_before_the_call(
    namespace: NetworkNamespace, line: Line, tmp_path: Path
) -> None:
    ready, theirs = os.pipe()
    rig = os.fork()
    if rig == 0:
        try:
            held(namespace, line, tmp_path)
            os.write(theirs, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(theirs)
    os.read(ready, 1)
    os.close(ready)
    others = line.others()
    assert len(others) == 3, "pppd, what copies for it, and its script; the rig has the other side here, too"
    os.kill(rig, signal.SIGKILL)
    os.waitpid(rig, 0)
    await_end(others)
