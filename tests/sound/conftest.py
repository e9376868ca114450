"""Telephone cables that are none: JACK with its dummy driver, whose clients are joined to each other, sample by sample.

PulseAudio's null sinks do as well, but for what they leave out or say twice when they are late: no modem bears that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.polling import wait_until

SECONDS = 60.0
"""For each thing that is waited for."""
OURS, OTHER = "PortAudio", "PortAudio-01"
"""JACK's names of who has come first, and second."""


def until(what: str, condition: Callable[[], bool]) -> None:
    wait_until(condition, SECONDS, what)


@dataclass
class SoundServer:
    """One that runs. Its clients have the variables of this process."""

    process: subprocess.Popen[bytes]
    joining: list[threading.Thread] = field(default_factory=list)

    def ports(self) -> str:
        return subprocess.run(["jack_lsp"], capture_output=True, text=True, check=False).stdout

    def join(self, *cables: tuple[str, str]) -> None:
        """Lay cables as soon as their ends are there, in the background."""

        def lay() -> None:
            ends = [end for cable in cables for end in cable]
            until(f"port {' or '.join(ends)}", lambda: set(ends) <= set(self.ports().split()))
            for cable in cables:
                subprocess.run(["jack_connect", *cable], check=True)

        self.joining.append(threading.Thread(target=lay))
        self.joining[-1].start()

    def end(self) -> None:
        for thread in self.joining:
            thread.join()
        self.process.kill()
        self.process.wait(SECONDS)


@pytest.fixture
def sound_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    if shutil.which("jackd") is None:
        pytest.fail("there is no jackd; make sound-card installs it")
    name = f"rig{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    log = tmp_path / "jackd.log"
    command = ["jackd", "-r", "-S", "-t", "5000", "-n", name, "-d", "dummy", "-r", "8000", "-p", "160", "-C1", "-P1"]
    with log.open("wb") as out:
        server = SoundServer(subprocess.Popen(command, stdout=out, stderr=out))
    try:
        until(f"sound server: {log.read_text()}", lambda: "system:playback_1" in server.ports())
        yield server
    finally:
        server.end()


@pytest.fixture
def modem(sound_server: SoundServer, tmp_path: Path) -> Iterator[Path]:
    """The port of one that is the first on a sound card; the second is what it is on the telephone with."""
    port = tmp_path / "tty-outside"
    process = subprocess.Popen([sys.executable, "-m", "tests.sound.modem_on_card", str(port)])
    try:
        until("port of the modem", lambda: port.exists() or process.poll() is not None)
        sound_server.join((f"{OURS}:out_0", f"{OTHER}:in_0"), (f"{OTHER}:out_0", f"{OURS}:in_0"))
        yield port
    finally:
        process.kill()  # one whose server has gone does not hear of anything else
        process.wait(SECONDS)


def bench_with(port: Path, folder: Path, device: str) -> Path:
    """A bench whose modem is at ``port``, and behind a sound card."""
    file = folder / "card.toml"
    file.write_text(
        f'extends = "analogue"\n[near-end.modem]\nemulated = false\nport = "{port}"\n'
        f'[exchange.sound-card]\ndevice = "{device}"\n'
    )
    return file
