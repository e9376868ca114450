"""Runs whose reports the tests look at: each is made once, by the command that a person would type."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SECONDS = 300
RUNS = {
    "good": (0, "dial --number 1-800-555-0100 --bench loopback-instant"),
    "refused": (21, "dial --number 1-800-555-0101 --number 1-800-555-0104 --bench loopback-instant"),
    "borrowed": (0, "dial --number 1-800-555-0100 --bench i5os"),
    "leaking": (1, "fence check --bench loopback-leaky"),
    "inbound": (0, "answer --bench loopback-inbound"),
    "check": (0, "check --bench loopback-instant"),
    "vpn": (0, "connect --bench vpn --report-secrets"),
    "multi-hop": (0, "connect --bench multi-hop"),
    "sent": (0, "send --bench loopback-instant --reason inventory"),
    "soak": (0, "dial --number 1-800-555-0100 --bench loopback-instant --repeat 3"),
}
"""Exit status and command of each."""


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run's report, by the run's name."""
    made: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in made:
            folder = made[name] = tmp_path_factory.mktemp("report") / name
            status, command = RUNS[name]
            words = [sys.executable, "-m", "rig", *command.split(), "--report", str(folder)]
            done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS, check=False)
            assert done.returncode == status, done.stderr
        return made[name]

    return folder_of
