"""All of a call home over a sound card: real pppd, LIG, fence and checks; in the lab, with a sound server in it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.test_dial_command import run_rig
from tests.sound.conftest import bench_with


def test_every_check_holds(modem: Path, tmp_path: Path) -> None:
    bench = bench_with(modem, tmp_path, "system")
    said = run_rig("dial", "--number", "1-800-555-0100", "--bench", str(bench), "--json", "--quiet")
    verdict = json.loads(said.stdout)
    assert verdict["outcome"] == "OK", said.stderr
    assert verdict["call"]["rate"] == 2400
