"""A modem behind a terminal server (RFC 2217): the same driver, through a pty of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import NoModemError, PortLostError
from drivers.modem import Modem
from drivers.ports import Port
from drivers.serial_line import SerialLine
from rig.detect import Caution, detect
from tests.unit.exchange_process import exchange
from tests.unit.terminal_server import TerminalServer, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TerminalServer]:
    with exchange(tmp_path) as town, town.modem() as (_, device), serving(device) as server:
        yield server


def test_a_modem_behind_a_terminal_server_answers(server: TerminalServer) -> None:
    with SerialLine(server.url) as line:
        modem = Modem(line)
        modem.reset()
        modem.configure()
        assert modem.identify().model == "Soft Modem V.34"


def test_detect_asks_it_too(server: TerminalServer) -> None:
    found = detect([Port(server.url, device_path=server.url)], Caution(), patient=True)[0]
    assert found.state == "modem"


def test_it_is_a_terminal_that_pppd_can_have(server: TerminalServer) -> None:
    with SerialLine(server.url) as line:
        assert os.isatty(line.fileno())
        assert line.device.startswith("/dev/pts/")


def test_loss_of_carrier_there_hangs_up_here(server: TerminalServer) -> None:
    with SerialLine(server.url) as line:
        modem = Modem(line)
        modem.reset()
        assert server.port is not None
        server.port.carrier = True
        modem.command("AT")
        with pytest.raises(PortLostError):
            wait_for_carrier(line, modem, server)


def wait_for_carrier(line: SerialLine, modem: Modem, server: TerminalServer) -> None:
    for _ in range(100):
        if line.carrier:
            break
        modem.command("AT")
    assert line.carrier
    modem.command("AT")
    assert server.port is not None
    server.port.carrier = False
    modem.wait_for_ring(timeout=5)


def test_a_connection_that_breaks_is_a_lost_port(server: TerminalServer) -> None:
    with SerialLine(server.url) as line:
        modem = Modem(line)
        modem.reset()
        server.drop_connection()
        with pytest.raises(PortLostError):
            modem.wait_for_ring(timeout=5)
        assert not line.present


def test_a_server_that_is_not_there_says_so() -> None:
    with pytest.raises(NoModemError, match="rfc2217://127"):
        SerialLine("rfc2217://127.0.0.1:9")
