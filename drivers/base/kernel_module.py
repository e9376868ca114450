"""Modules of the kernel that have to be there before they are used: what the kernel does not load by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rig.drivers.base.errors import CannotRunError

BOUND_SECONDS = 30.0


def load(module: str, *settings: str) -> None:
    """By the program that the kernel itself calls; one that is there, or built in, stays. Raises CannotRunError."""
    program = Path("/proc/sys/kernel/modprobe").read_text().strip() or "/sbin/modprobe"
    done = subprocess.run(
        [program, "-q", module, *settings], capture_output=True, text=True, timeout=BOUND_SECONDS, check=False
    )
    if done.returncode:
        raise CannotRunError(
            f"the kernel module {module} is not here: {done.stderr.strip() or 'modprobe knows none'}",
            "a stock Debian kernel has it; or run in the lab: --lab uml, or --lab qemu for USB",
        )
