"""User-Mode Linux on a processor whose floating-point area is larger than its kernel knows: see whole_xstate.c."""

from __future__ import annotations

from drivers.base.tracing import floating_point_area
from rig.lab.outside import PROJECT

KNOWN = 2696
"""Bytes that Debian 12's kernel (6.1) and Debian 13's (6.12) keep of a process's state."""
MEND = PROJECT / "build" / "whole_xstate.so"
"""Where `make setup` puts it (scripts/uml-mend), on a machine that needs it."""


def needs_mend() -> bool:
    """Whether this machine's area is larger. Where it cannot be asked, the guest's own end says why."""
    try:
        return floating_point_area() > KNOWN
    except OSError:
        return False
