"""Whether a bench's far end, which its exporter runs while it is acquired, is ready."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

from rig_farm.lease import Lease

READY = "ready: "
"""With this `rig partner` says so."""
SECONDS = 120.0
LOOK_SECONDS = 0.1
NOT_READY = 4


def arm(lease: Lease, line: Callable[[str], None]) -> tuple[int, str]:
    """Wait for it; ``line`` is told what it has said. An exit status, and why it is not 0."""
    if not lease.far_end:
        return 0, ""
    said: list[str] = []
    end = time.monotonic() + SECONDS
    alive = True
    while alive and time.monotonic() < end:
        alive = _alive_after(lease.far_end_pid, LOOK_SECONDS)
        for new in Path(lease.far_end).read_text(errors="replace").splitlines()[len(said) :]:
            said.append(new)
            line(new)
        if alive and any(READY in one for one in said):
            return 0, ""
    how = f"was not ready within {SECONDS:g} s" if alive else "has ended"
    return NOT_READY, f"the far end {how}; it said: {said[-1] if said else 'nothing'}"


def _alive_after(pid: int, seconds: float) -> bool:
    """Whether a process is there still, so many seconds later; at once where it ends before that."""
    try:
        over = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([over], [], [], seconds)[0]
    finally:
        os.close(over)
