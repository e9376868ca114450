"""Two cables between sound cards that are none: PulseAudio's null sinks, whose monitors are the other ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

THERE, BACK = "there", "back"
LATENCY = "200"
"""Milliseconds that a client has ready: a null sink says nothing of what it has not got in time."""
START_SECONDS, PORT_SECONDS = 20.0, 20.0


@pytest.fixture(scope="session")
def sound_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of its clients."""
    program = shutil.which("pulseaudio")
    if program is None:
        pytest.fail("there is no pulseaudio; make sound-card installs it")
    folder = tmp_path_factory.mktemp("pulse")
    folder.chmod(0o700)
    socket = folder / "native"
    command = [program, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no"]
    for sink in (THERE, BACK):
        command += ["-L", f"module-null-sink sink_name={sink} rate=8000 channels=1"]
    command += ["-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"]
    own = {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_LATENCY_MSEC": LATENCY,
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_SECONDS
        while not socket.exists():
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, f"no {socket} within {START_SECONDS:g} s"
            time.sleep(0.05)
        yield own
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


@pytest.fixture
def near_side(sound_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process's default card plays into one cable and hears the other; the variables of one that is at their other
    ends."""
    for name, value in (sound_server | {"PULSE_SINK": THERE, "PULSE_SOURCE": f"{BACK}.monitor"}).items():
        monkeypatch.setenv(name, value)
    return os.environ | sound_server | {"PULSE_SINK": BACK, "PULSE_SOURCE": f"{THERE}.monitor"}


def monitor_to(file: Path, sound_server: dict[str, str]) -> subprocess.Popen[bytes]:
    """Record what is played into the first cable, as samples of 16 bits, 8,000 a second."""
    command = ["parec", "--device", f"{THERE}.monitor", "--rate=8000", "--channels=1", "--format=s16le", "--raw"]
    with file.open("wb") as out:
        return subprocess.Popen(command, env=os.environ | sound_server, stdout=out)


@pytest.fixture
def modem(near_side: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """The port of one at the other end of the cables."""
    port = tmp_path / "tty-outside"
    command = [sys.executable, "-m", "tests.sound.modem_on_card", str(port)]
    process = subprocess.Popen(command, env=near_side)
    try:
        end = time.monotonic() + PORT_SECONDS
        while not port.exists():
            assert process.poll() is None, "the modem ended"
            assert time.monotonic() < end, f"no {port} within {PORT_SECONDS:g} s"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def bench_with(port: Path, folder: Path, device: str) -> Path:
    file = folder / "card.toml"
    file.write_text(
        f'extends = "analogue"\n[near-end.modem]\nemulated = false\nport = "{port}"\n'
        f'[exchange.sound-card]\ndevice = "{device}"\n'
    )
    return file
