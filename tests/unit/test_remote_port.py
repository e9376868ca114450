"""A modem behind a terminal server (RFC 2217): the same driver, through a pty of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial.rfc2217 import SERVER_PURGE_DATA, SERVER_SET_CONTROL

from rig.drivers.base import syscalls
from rig.drivers.base.errors import NoModemError, PortLostError
from rig.drivers.modem.modem import Modem
from rig.drivers.net import home_network
from rig.drivers.serial.ports import Port
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.detect import Caution, detect
from tests.polling import wait_until
from tests.unit.exchange_process import exchange
from tests.unit.terminal_server import TerminalServer, serving

NOWHERE = "Unable to find a valid name on the name server"
"""ser2net's words for that: findings/ser2net-listens-nowhere-without-a-network.sh."""


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


@pytest.mark.parametrize("wired", [True, False], ids=["CTS wired", "three wires"])
def test_rts_and_cts_are_used_where_cts_is_wired(server: TerminalServer, wired: bool) -> None:
    with SerialLine(server.url, rtscts=False) as line:
        modem = Modem(line)
        modem.reset()
        assert server.port is not None
        server.port.cts = wired
        for _ in range(100):
            if line.clear_to_send is wired:
                break
            modem.command("AT")
        assert line.set_flow_control(True) is wired
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


@pytest.mark.parametrize(
    ("unanswered", "lacking"),
    [((SERVER_PURGE_DATA,), ("PURGE-DATA",)), ((SERVER_SET_CONTROL,), ("SET-CONTROL",))],
    ids=["PURGE-DATA", "SET-CONTROL"],
)
def test_a_server_that_does_not_confirm_everything_is_used_and_what_it_lacks_is_said(
    tmp_path: Path, unanswered: tuple[bytes, ...], lacking: tuple[str, ...]
) -> None:
    with (
        exchange(tmp_path) as town,
        town.modem() as (_, device),
        serving(device, unanswered) as server,
        SerialLine(server.url) as line,
    ):
        modem = Modem(line)
        modem.reset()
        assert modem.identify().model == "Soft Modem V.34"
        assert len(line.lacking) == len(lacking)
        assert all(code in said for code, said in zip(lacking, line.lacking, strict=True))
        line.hang_up()


@contextlib.contextmanager
def ser2net(folder: Path, device: str) -> Iterator[str]:
    """The terminal server of Debian's, on a free port of loopback; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = folder / "ser2net.yaml"
    file.write_text(
        f"connection: &rig\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n"
        f"  connector: serialdev,{device},115200n81,local\n"
    )
    program = shutil.which("ser2net", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program, "ser2net is not installed: make setup"
    log = folder / "ser2net.log"
    with log.open("wb") as said, subprocess.Popen([program, "-d", "-u", "-c", file], stdout=said, stderr=said) as run:
        try:
            wait_until(lambda: listens(port) or NOWHERE in log.read_text(), 20, "ser2net to listen")
            if NOWHERE in log.read_text():
                pytest.skip("ser2net listens nowhere on a machine that has no address but those of loopback")
            time.sleep(0.2)  # that connection's end frees the port there
            yield f"rfc2217://127.0.0.1:{port}"
        finally:
            run.kill()


def listens(port: int) -> bool:
    """It says nothing when it does."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


# pyserial's close() leaves its socket to the garbage collector where the server has hung up already.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_modem_behind_ser2net_works(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """ser2net refuses to set the modem lines of a pty, which has none."""
    with exchange(tmp_path) as town, town.modem() as (_, device), ser2net(tmp_path, device) as url:
        with SerialLine(url) as line:
            modem = Modem(line)
            modem.reset()
            assert modem.identify().model == "Soft Modem V.34"
            with pytest.raises(NoModemError, match=re.escape(url)):
                SerialLine(url)
        found = detect([Port(url, device_path=url)], Caution(), patient=True)[0]
    assert found.state == "modem"
    assert "Traceback" not in capfd.readouterr().err


def test_a_url_is_opened_from_a_partners_namespace(server: TerminalServer) -> None:
    """Catches a terminal server looked for in a namespace that has no network."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a network namespace")
    done: list[str] = []
    home_network.remember()  # as whoever makes the partner's namespace does

    def elsewhere() -> None:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        with SerialLine(server.url) as line:
            modem = Modem(line)
            modem.reset()
            done.append(modem.identify().model)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(20)
    assert done == ["Soft Modem V.34"]


def test_a_speed_that_the_server_refuses_names_the_port(server: TerminalServer) -> None:
    with SerialLine(server.url) as line, pytest.raises(PortLostError, match="rfc2217://"):
        line.set_speed(2**32)


def test_what_cannot_be_written_is_a_lost_port(server: TerminalServer) -> None:
    """Catches bytes that vanish while the connection is gone: SerialException is an OSError."""
    with SerialLine(server.url) as line:
        server.drop_connection()
        with pytest.raises(PortLostError):
            for _ in range(100):
                line.write(b"AT\r")
                time.sleep(0.05)
