"""User-Mode Linux on a processor whose floating-point area is larger than its kernel knows: see whole_xstate.c."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rig.drivers.base.tracing import floating_point_area
from rig.lab import cache

KNOWN = 2696
"""Bytes that Debian 12's kernel (6.1) and Debian 13's (6.12) keep of a process's state."""
SOURCE, BUILDER = (Path(__file__).with_name(name) for name in ("whole_xstate.c", "uml-mend"))
BOUND_SECONDS = 60.0


def needs_mend() -> bool:
    """Whether this machine's area is larger. Where it cannot be asked, the guest's own end says why."""
    try:
        return floating_point_area() > KNOWN
    except OSError:
        return False


def place() -> Path:
    """Where the mend is, or is to be."""
    return cache.made_of(SOURCE, "whole-xstate-{}.so")


def built() -> Path:
    """The same, with the mend there where this machine needs it and has a compiler."""
    library = place()
    if not library.exists():
        command = ["sh", str(BUILDER), sys.executable, str(SOURCE), str(library)]
        subprocess.run(command, capture_output=True, timeout=BOUND_SECONDS, check=False)
    return library


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(f"{place()}\n")
