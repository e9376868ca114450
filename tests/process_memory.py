"""What memory a process has, and has had at the most, in megabytes; shared pages and all (proc(5))."""

from __future__ import annotations

import re
from pathlib import Path


def resident(process: int | str = "self") -> float:
    """What it has now. Raises ValueError for a process that is over."""
    return _of("VmRSS", process)


def peak(process: int | str = "self") -> float:
    """The most that it has had since its program was started: getrusage(2)'s figure counts what it was forked from as
    well, and so what a small program reports is the size of its parent."""
    return _of("VmHWM", process)


def _of(key: str, process: int | str) -> float:
    found = re.search(rf"^{key}:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"process {process} has no {key}: it is over")
    return int(found[1]) / 1024
