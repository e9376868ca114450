"""Installed from its wheel, what it needs being there, and the first word from it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, spread
from tests.installed.building import PROJECT, build

RUNS = 5
TARGET = 3.0


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = folder / "venv"
        [wheel] = build(folder).glob("*.whl")
        run(sys.executable, "-m", "venv", environment)
        pip = (environment / "bin/pip", "--disable-pip-version-check")
        run(*pip, "install", "--constraint", PROJECT / "requirements.txt", wheel)
        took = []
        for _ in range(RUNS):
            run(*pip, "uninstall", "--yes", "rig")
            began = time.monotonic()
            run(*pip, "install", "--no-index", "--no-deps", wheel)
            run(environment / "bin/rig", "detect", "--help")
            took.append(time.monotonic() - began)
    return [
        Figure("the wheel installed, and its first `rig detect --help`", spread(took, "s"),
               "with what it needs there already: how long that comes is the index's", f"under {TARGET:g} s",
               sorted(took)[RUNS // 2] < TARGET),
    ]  # fmt: skip


def run(*words: object) -> None:
    """Raises CalledProcessError, with what it said on standard error already."""
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, timeout=600)
