"""What a run leaves behind where it should not: read off the system, not off the rig's own books."""

from __future__ import annotations

import os
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
