"""lrzsz: a file by ZMODEM over a call, every byte of it, to the last.

sz says OO at its very end, waits for it to be sent (tcdrain), and throws away what is not (TCIOFLUSH). On a pty the
wait is none, so OO may be lost; rz, which has the whole file by then, waits for it, up to 30 s, and ends well.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs.conftest import NUMBER
from tests.programs.running import running
from tests.programs.station import Station, calling
from tests.unit.exchange_process import Town

SIZE = 200_003
SECONDS = 60.0
SZ, RZ = ("sz", "--binary", "--quiet"), ("rz", "--binary", "--quiet")


def made(folder: Path) -> Path:
    """A file that holds every byte value, also those that a line takes for its own, and ends in some of them."""
    file = folder / "sent"
    file.write_bytes(random.Random(1977).randbytes(SIZE) + bytes(range(256)) + b"\x11\x13\x18\r+++")
    return file


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextmanager
def on(descriptor: int, command: tuple[str, ...], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """As with ``sz file <port >port``."""
    with subprocess.Popen(
        command, stdin=descriptor, stdout=descriptor, stderr=subprocess.PIPE, cwd=folder, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ends_well(process: subprocess.Popen[bytes]) -> None:
    """Within its time, and with what it said where it did not."""
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said.decode(errors="replace")


@pytest.mark.parametrize("outward", [True, False], ids=["to whom was called", "to the caller"])
def test_a_file_arrives_whole(town: Town, station: Station, tmp_path: Path, outward: bool) -> None:
    """Catches bytes that a modem's end takes for its own, and a file's last ones lost."""
    file = made(tmp_path)
    received = tmp_path / "received"
    received.mkdir()
    with calling(town, NUMBER) as caller:
        caller.hears(b"CONNECT 115200\r\n")
        station.answers()
        sender, receiver = (caller, station) if outward else (station, caller)
        with on(sender.descriptor, (*SZ, str(file)), tmp_path) as sz, on(receiver.descriptor, RZ, received) as rz:
            ends_well(sz)
            ends_well(rz)
    assert digest(received / "sent") == digest(file)


def test_the_last_bytes_arrive_when_the_sender_hangs_up_at_once(town: Town, station: Station) -> None:
    """Without a protocol, as ``cat file >port`` does it: what was sent before DTR goes is sent."""
    text = random.Random(1977).randbytes(20_000) + b"the last words"
    with calling(town, NUMBER) as caller:
        caller.hears(b"CONNECT 115200\r\n")
        station.answers()
        caller.say(text)
        caller.close()
        assert station.hears(b"the last words") == text
        assert station.is_hung_up()


def test_picocom_sends_by_sz(port: str, station: Station, tmp_path: Path) -> None:
    """As its users do: C-a C-s, and the file's name."""
    file = made(tmp_path)
    (tmp_path / "received").mkdir()
    with running(["picocom", "--baud", "115200", "--send-cmd", "sz --binary --quiet", port]) as picocom:
        picocom.shows("Terminal ready")
        picocom.type(f"ATDT{NUMBER}\r")
        picocom.shows("CONNECT 115200")
        station.answers()
        with on(station.descriptor, RZ, tmp_path / "received") as rz:
            picocom.type("\x01\x13")
            picocom.shows("file")
            picocom.type(f"{file}\r")
            ends_well(rz)
            picocom.shows("exit status: 0")
    assert digest(tmp_path / "received" / "sent") == digest(file)
