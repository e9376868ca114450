"""Which kernel User-Mode Linux is here: the one that `make kernel` has built, or else Debian's.

From 6.16 on it stops a guest's processes by seccomp where before it was by ptrace, which halves the time of everything
(Documentation/virt/uml), and since 6.13 it keeps the floating-point area of any processor. Debian 12 has 6.1, Debian 13
6.12; what Debian has built of later ones lacks the packet filter
(findings/debian-uml-7.2-has-no-packet-filter-for-ipv4.sh).
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rig.lab import cache

NAME = "linux.uml"
CONFIGURATION = Path(__file__).with_name("kernel.config")
CHOSEN = "RIG_UML"
"""The environment's word for another kernel than these, or for Debian's: a path, or a program's name."""


@dataclass(frozen=True)
class UmlKernel:
    """``program``: it, as it is called; ``words``: what it is told besides; ``modules``: the folder of its modules, ""
    where all is built in; ``any_processor``: whether it knows every floating-point area."""

    program: str
    words: tuple[str, ...] = ()
    modules: str = ""
    any_processor: bool = False


def built() -> Path:
    """Where `make kernel` puts what it builds, for every checkout of this user that wants the same configuration."""
    return cache.made_of(CONFIGURATION, "linux-{}.uml")


def find() -> UmlKernel | None:
    """The kernel to start; None where there is none."""
    if chosen := os.environ.get(CHOSEN):
        return _debian(chosen)
    if (own := built()).exists():
        return UmlKernel(str(own), ("seccomp=auto",), any_processor=True)
    return _debian(NAME)


def _debian(program: str) -> UmlKernel | None:
    return UmlKernel(program, modules="/usr/lib/uml/modules") if shutil.which(program) else None


if __name__ == "__main__":  # for scripts/uml-kernel
    sys.stdout.write(f"{built()}\n")
