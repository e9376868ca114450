"""Who has a port: lock files as other programs write them, and the other side of a pseudo-terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from rig.drivers.base.errors import PortBusyError
from rig.drivers.serial import locks
from rig.drivers.serial.serial_line import SerialLine

DEVICE = Path("/dev/ttyRIGTEST")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(locks, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [b"%10d\n", b"%d", b"%10d minicom root\n", b"%10d gammu\n", b"     %d\n\n"],
    ids=["FHS", "bare", "minicom", "gammu", "padded"],
)
def test_a_living_owner_is_one_whatever_stands_behind_his_number(folder: Path, text: bytes) -> None:
    path = locks.path_for(DEVICE)
    path.write_bytes(text % os.getppid())
    with pytest.raises(PortBusyError, match=f"pid {os.getppid()}"):
        locks.LockFile(DEVICE)
    assert path.read_bytes() == text % os.getppid()


@pytest.mark.parametrize("text", [b"%10d minicom root\n", b"%10d\n"])
def test_one_that_has_ended_is_replaced(folder: Path, text: bytes) -> None:
    locks.path_for(DEVICE).write_bytes(text % (2**22 - 1))
    lock = locks.LockFile(DEVICE)
    assert locks.read_owner(lock.path) == os.getpid()
    lock.release()
    assert list(folder.iterdir()) == []


def test_a_lock_is_never_seen_without_its_owner(folder: Path) -> None:
    """Catches a file that is made first and written then: who looks in between clears it as stale."""
    path, empty, done = locks.path_for(DEVICE), [], threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                if path.read_bytes() == b"":
                    empty.append(1)
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(2000):
        locks.LockFile(DEVICE).release()
    done.set()
    watcher.join()
    assert not empty


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
def test_a_null_modem_made_by_socat_is_free(tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    words = ["socat", "-d", "-d", f"pty,raw,echo=0,link={near}", f"pty,raw,echo=0,link={far}"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as socat:
        try:
            assert socat.stderr is not None
            while "starting data transfer" not in socat.stderr.readline():
                assert socat.poll() is None
            with SerialLine(str(near)), SerialLine(str(far)):
                assert locks.holders(near) == []
                with pytest.raises(PortBusyError):
                    SerialLine(str(near))
        finally:
            socat.terminate()
