"""What the README says of a farm is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from conftest import LoopbackFarm
from programs import PROGRAMS, RIG, Started

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readmes_lines_make_a_soak_on_a_farm(farm: LoopbackFarm, tmp_path: Path) -> None:
    (block,) = (found for found in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if "labgrid" in found)
    exporter, *lines = block.splitlines()
    (tmp_path / "bench.yaml").write_text("bench: {RigBench: {bench: loopback-instant}}\n")
    path = os.pathsep.join([str(RIG.parent), str(PROGRAMS), os.environ["PATH"]])
    state = str(farm.state("alpha"))
    more = {"PATH": path, "RIG_FARM_STATE": state, "LG_COORDINATOR": farm.address, "PYTHONUNBUFFERED": "1"}
    os.environ["PATH"], before = path, os.environ["PATH"]
    try:
        farm.exporters["alpha"] = started = Started(
            tmp_path / "exporter.log", *shlex.split(exporter), cwd=tmp_path, **more
        )
    finally:
        os.environ["PATH"] = before
    started.await_word("Exporter ready")
    for line in lines:
        ran = subprocess.run(
            shlex.split(line), cwd=tmp_path, env={**os.environ, **more}, text=True, capture_output=True, timeout=200
        )
        assert ran.returncode == 0, f"{line}: {ran.stdout}{ran.stderr}"
    assert "OK: 4 of 4 calls were good" in ran.stdout + ran.stderr
    assert (tmp_path / "results" / "farm" / "report.html").exists()
