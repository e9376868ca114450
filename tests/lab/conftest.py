"""The lab's tests share one emulated far end, on an instant line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def left_behind() -> dict[str, list[str]]:
    """What a run would leave: namespaces, folders, lock files, processes."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue
            if name in ("pppd", "dnsmasq") or name.startswith("rig-"):
                processes.append(f"{name} {entry.name}")

    def names(folder: str) -> list[str]:
        return sorted(os.listdir(folder)) if Path(folder).is_dir() else []

    return {
        "namespaces": names("/run/netns"),
        "folders": names("/run/rig"),
        "locks": names("/run/lock"),
        "processes": sorted(processes),
    }


@pytest.fixture
def nothing_new_is_left() -> Callable[[], dict[str, list[str]]]:
    """Call it at the end: what is there now and was not at the beginning."""
    before = left_behind()

    def compare() -> dict[str, list[str]]:
        after = left_behind()
        return {kind: new for kind in after if (new := [name for name in after[kind] if name not in before[kind]])}

    return compare


@pytest.fixture
def rig() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``rig`` as a process of its own, in this lab."""
    import sys

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rig", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    return run
