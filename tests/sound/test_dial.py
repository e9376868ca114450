"""All of a call home over a sound card: real pppd, LIG, fence and checks; in the lab, with a sound server in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sound.conftest import bench_with

SECONDS = 500
"""Four TLS connections and all else at 2,400 bit/s."""


@pytest.mark.timeout(SECONDS + 60)
def test_every_check_holds(modem: Path, tmp_path: Path) -> None:
    bench = bench_with(modem, tmp_path, "system")
    words = ["dial", "--number", "1-800-555-0100", "--bench", str(bench), "--json", "--quiet"]
    said = subprocess.run(
        [sys.executable, "-m", "rig", *words], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    verdict = json.loads(said.stdout)
    assert verdict["outcome"] == "OK", said.stderr
    assert verdict["connect"]["rate"] == 2400
