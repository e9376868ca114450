"""A modem behind a sound card calls, and a call is heard through one: real sound, real time."""

from __future__ import annotations

import os
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
from tests.sound.conftest import BACK, bench_with, monitor_to

NOISE = Sweep("noise", "dBm0", (-60.0,), lambda it: {"noise": it})


def test_a_modem_behind_a_sound_card_dials_trains_and_is_qualified(modem: Path, tmp_path: Path) -> None:
    verdict = qualify.run(load(str(bench_with(modem, tmp_path, "pulse"))), [NOISE], 2, Progress())
    assert [call.rate for call in verdict.calls] == [2400, 2400], verdict.calls
    assert [call.whole for call in verdict.calls] == [1.0, 1.0]


def test_a_card_that_is_not_there_is_named_with_those_that_are(modem: Path, tmp_path: Path) -> None:
    bench = load(str(bench_with(modem, tmp_path, "Blaster")))
    with pytest.raises(ControlError, match=r"sound card Blaster: .*; there are: .*'pulse'"):
        qualify.run(bench, [], 1, Progress.silent())


@pytest.mark.parametrize(("speaker", "digits"), [("M1L3", "18005550101"), ("M0", "")], ids=["on", "off"])
def test_a_modems_dialling_is_heard_through_its_loudspeaker(
    near_side: dict[str, str], sound_server: dict[str, str], tmp_path: Path, speaker: str, digits: str
) -> None:
    heard = tmp_path / "heard"
    recorder = monitor_to(heard, sound_server)
    command = [sys.executable, "-m", "rig", "modem", "--bench", "analogue", "--listen", "pulse", "--record"]
    try:
        dial = f"AT{speaker}DT18005550101\n"
        said = subprocess.run(
            [*command, str(tmp_path / "said.jsonl")], input=dial, capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        recorder.terminate()
        recorder.wait(10)
    assert "BUSY" in said.stdout
    samples = np.frombuffer(heard.read_bytes(), "<i2")
    receiver = DtmfReceiver(through_dial_tone=True)
    blocks = [samples[at : at + BLOCK] for at in range(0, len(samples) - BLOCK, BLOCK)]
    assert "".join(map(receiver.receive, blocks)) == digits


def test_a_card_that_goes_away_ends_the_run_and_is_named(
    modem: Path, sound_server: dict[str, str], tmp_path: Path
) -> None:
    bench = load(str(bench_with(modem, tmp_path, "pulse")))
    suspend = ["pactl", "suspend-sink", BACK, "1"]
    went = threading.Timer(8, lambda: subprocess.run(suspend, env=os.environ | sound_server, check=True))
    went.start()
    with pytest.raises(ControlError, match=r"exchange has ended; .* sound card pulse: it gave no sound for 2 s"):
        qualify.run(bench, [NOISE], 3, Progress.silent())
