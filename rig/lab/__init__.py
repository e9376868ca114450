"""Where the bench runs: a kernel with PPP, this machine's own or one in User-Mode Linux.

A command that needs the lab asks :func:`choose` for an engine; ``native`` means "stay here", any other runs
the same command line again inside. Inside, RIG_LAB names the engine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from drivers.errors import CannotRunError, UsageError
from rig.bench import Bench
from rig.lab.native import NativeLab
from rig.lab.qemu import QemuLab
from rig.lab.uml import UmlLab

INSIDE = "RIG_LAB"
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")


class Lab(Protocol):
    """An engine: says what it lacks, and runs a command."""

    name: str

    def missing(self, *, usb: bool = False) -> str: ...

    def run(self, command: Sequence[str], environment: Mapping[str, str], writable: Sequence[Path] = ()) -> int: ...


def engines() -> dict[str, Lab]:
    return {lab.name: lab for lab in (NativeLab(), UmlLab(), QemuLab())}


def choose(wanted: str | None = None, *, usb: bool = False) -> Lab:
    """The engine asked for, or the first that this machine can run; with ``usb`` one that has software USB.

    Raises UsageError for an unknown name, CannotRunError when the one asked for, or every one, lacks
    something.
    """
    known = engines()
    if wanted is not None and wanted not in known:
        raise UsageError(f"no lab engine is called {wanted!r}", f"one of: {', '.join(known)}")
    reasons = []
    for lab in known.values() if wanted is None else (known[wanted],):
        lacking = lab.missing(usb=usb)
        if not lacking:
            return lab
        reasons.append(f"{lab.name} lacks {lacking}")
    advice = "apt-get install user-mode-linux   gives a kernel that runs anywhere"
    if usb:
        advice = "make usb-guest   fetches a kernel for QEMU (apt-get install qemu-system-x86)"
    raise CannotRunError("; ".join(reasons), advice)


def choose_for(bench: Bench, wanted: str | None = None) -> Lab:
    """Where a bench runs. Raises as :func:`choose`, and CannotRunError for one with real hardware, which the lab cannot
    reach, on a machine that cannot run PPP itself."""
    chosen = choose(wanted, usb=bench.near_end.modem.bus == "usb")
    if chosen.name != "native" and not bench.emulated:
        raise CannotRunError(
            f"bench {bench.name} has a real modem or network, which needs PPP on this machine itself; it lacks "
            f"{missing('native')}",
            "run as root on a kernel with PPP (modprobe ppp_async); or try --bench loopback",
        )
    return chosen


def missing(name: str, *, usb: bool = False) -> str:
    """What an engine lacks here; empty when nothing."""
    return engines()[name].missing(usb=usb)


def current() -> str:
    """The engine that this process runs in: ``native`` unless a guest's init said otherwise."""
    return os.environ.get(INSIDE, "native")


def inside_environment(lab: Lab) -> dict[str, str]:
    """What a command inside finds in its environment: all that is here, and the engine's name.

    TMPDIR is left out: the guest has a /tmp of its own. An ordinary user's PATH often lacks the folders of
    pppd and iptables, which it needs as root inside.
    """
    kept = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    folders = kept.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join([*folders, *(folder for folder in SYSTEM_FOLDERS if folder not in folders)])
    return kept | {INSIDE: lab.name, "PATH": path}
