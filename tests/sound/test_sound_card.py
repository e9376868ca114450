"""A modem behind a sound card calls, and a call is heard through one: real sound, real time."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rig.config.bench_files import load
from rig.drivers.sound.dtmf import DtmfReceiver
from rig.drivers.sound.samples import BLOCK
from rig.jobs import qualify
from rig.jobs.qualify import Sweep
from rig.run.control import ControlError
from rig.run.progress import Progress
from tests.sound.conftest import OTHER, OURS, SECONDS, SoundServer, bench_with, until

CARD = "system"
NOISE = Sweep("noise", "dBm0", (-60.0,), lambda it: {"noise": it})


def test_a_modem_behind_a_sound_card_dials_trains_and_is_qualified(modem: Path, tmp_path: Path) -> None:
    verdict = qualify.run(load(str(bench_with(modem, tmp_path, CARD))), [NOISE], 2, Progress())
    assert [call.rate for call in verdict.calls] == [2400, 2400], verdict.calls
    assert [call.whole for call in verdict.calls] == [1.0, 1.0]


def test_a_card_that_is_not_there_is_named_with_those_that_are(sound_server: SoundServer, tmp_path: Path) -> None:
    bench = load(str(bench_with(tmp_path / "tty", tmp_path, "Blaster")))
    with pytest.raises(ControlError, match=r"sound card Blaster: .*; there are: 'system'"):
        qualify.run(bench, [], 1, Progress.silent())


@pytest.mark.parametrize(("speaker", "digits"), [("M1L3", "18005550101"), ("M0", "")], ids=["on", "off"])
def test_a_modems_dialling_is_heard_through_its_loudspeaker(
    sound_server: SoundServer, tmp_path: Path, speaker: str, digits: str
) -> None:
    heard = tmp_path / "heard"
    recorder = subprocess.Popen([sys.executable, "-m", "tests.sound.recorder", CARD, str(heard)])
    until("recorder", lambda: f"{OURS}:in_0" in sound_server.ports())
    sound_server.join((f"{OTHER}:out_0", f"{OURS}:in_0"))
    command = [sys.executable, "-m", "rig", "modem", "--bench", "analogue", "--listen", CARD, "--record"]
    dial = f"AT{speaker}DT18005550101\n"
    try:
        said = subprocess.run(
            [*command, str(tmp_path / "said.jsonl")], input=dial, capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        recorder.terminate()
        recorder.wait(SECONDS)
    assert "BUSY" in said.stdout
    samples = np.frombuffer(heard.read_bytes(), "<i2")
    receiver = DtmfReceiver(through_dial_tone=True)
    blocks = [samples[at : at + BLOCK] for at in range(0, len(samples) - BLOCK, BLOCK)]
    assert "".join(map(receiver.receive, blocks)) == digits


def test_a_card_that_stands_still_ends_the_run_and_is_named(
    modem: Path, sound_server: SoundServer, tmp_path: Path
) -> None:
    bench = load(str(bench_with(modem, tmp_path, CARD)))
    went = threading.Timer(8, sound_server.process.send_signal, [signal.SIGSTOP])
    went.start()
    with pytest.raises(ControlError, match=r"exchange has ended; .* sound card system: it gave no sound for 2 s"):
        qualify.run(bench, [NOISE], 3, Progress.silent())
