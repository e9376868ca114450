"""What a run leaves behind where it should not: read off the system, not off the rig's own books."""

from __future__ import annotations

import os
import time
from pathlib import Path


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


def new_since(before: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is there now and was not before.

    A process that the kernel has just told to die with its parent may take a moment; it has two seconds.
    """
    end = time.monotonic() + 2
    while True:
        after = left_behind()
        new = {kind: fresh for kind in after if (fresh := [name for name in after[kind] if name not in before[kind]])}
        if not new or time.monotonic() > end:
            return new
        time.sleep(0.05)  # the end of a process that is not ours sends no event
