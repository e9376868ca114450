"""The engines that a bench can run on, which of them this machine has, and a command run on the first that starts.

``native`` means "stay here"; any other runs the same command line again, in a guest: in the one that stays, where one
is up for this user and this checkout, else in one of its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rig.drivers.base.errors import CannotRunError, GuestError, UsageError
from rig.lab import INSIDE, seen, staying
from rig.lab.native import NativeLab
from rig.lab.outside import Guest, scratch_folder
from rig.lab.qemu import QemuLab
from rig.lab.relay import not_to_be_seen, request_for
from rig.lab.uml import UmlLab

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")


class Lab(Protocol):
    """Says what keeps this machine from running it; empty when nothing does."""

    name: str

    def missing(self, *, usb: bool = False, ppp: bool = True) -> str: ...


class GuestLab(Lab, Protocol):
    """An engine whose kernel is a guest's. ``check`` raises GuestError for what is known beforehand to keep it from
    starting."""

    def check(self) -> object: ...

    def start(self, folder: Path, writable: Sequence[Path] = (), lines: int = 1) -> Guest: ...


def engines() -> dict[str, Lab]:
    return {"native": NativeLab(), **guests()}


def guests() -> dict[str, GuestLab]:
    return {lab.name: lab for lab in (UmlLab(), QemuLab())}


def usable(wanted: str | None = None, *, usb: bool = False, ppp: bool = True) -> list[str]:
    """The engine asked for, or all for which nothing is missing here, the best first; with ``usb`` those that have
    software USB.

    Raises UsageError for an unknown name, CannotRunError when the one asked for, or every one, lacks something.
    """
    known = engines()
    if wanted is not None and wanted not in known:
        raise UsageError(f"no lab engine is called {wanted!r}", f"one of: {', '.join(known)}")
    tried = known if wanted is None else {wanted: known[wanted]}
    lacking = {name: lab.missing(usb=usb, ppp=ppp) for name, lab in tried.items()}
    found = [name for name, lacks in lacking.items() if not lacks]
    if not found:
        advice = "apt-get install user-mode-linux   gives a kernel that runs anywhere"
        if usb:
            advice = "make usb-guest   fetches a kernel for QEMU (apt-get install qemu-system-x86)"
        raise CannotRunError("; ".join(f"{name} lacks {lacks}" for name, lacks in lacking.items()), advice)
    return found


class Needs(Protocol):
    """What a bench needs of a lab: whether nothing of it is real, and whether it has USB."""

    @property
    def name(self) -> str: ...

    @property
    def emulated(self) -> bool: ...

    @property
    def usb(self) -> bool: ...

    @property
    def dials(self) -> bool: ...


def usable_for(bench: Needs, wanted: str | None = None) -> list[str]:
    """Where a bench can run. Raises as :func:`usable`, and CannotRunError for one with real hardware, which no guest
    can reach, on a machine that cannot run PPP itself."""
    ppp = bench.dials or bench.emulated
    found = usable(wanted, usb=bench.usb, ppp=ppp)
    if found[0] != "native" and not bench.emulated:
        raise CannotRunError(
            f"bench {bench.name} has a real modem or network, and has to run on this machine itself; it lacks "
            f"{missing('native', ppp=ppp)}",
            "run as root on a kernel with PPP (modprobe ppp_async); or try --bench loopback",
        )
    return found


def missing(name: str, *, usb: bool = False, ppp: bool = True) -> str:
    """What an engine lacks here; empty when nothing."""
    return engines()[name].missing(usb=usb, ppp=ppp)


def see_it_start(name: str) -> None:
    """See a guest of this engine start, unless one has since this machine booted. Raises GuestError, saying why it does
    not."""
    if name == "native":
        return
    guests()[name].check()
    if seen.started(name):
        return
    with booted(name):
        pass


@contextlib.contextmanager
def booted(name: str, writable: Sequence[Path] = (), lines: int = 1) -> Iterator[Guest]:
    """A guest of this engine that has started, which is remembered. Raises GuestError, saying why it does not."""
    with scratch_folder() as folder, guests()[name].start(folder, writable, lines) as guest:
        guest.await_boot()
        seen.remember_start(name)
        yield guest


def first_that_starts(names: Sequence[str]) -> str:
    """The engine that a run would take. Raises the last one's GuestError."""
    for name, after in zip(names, [*names[1:], ""], strict=True):
        try:
            see_it_start(name)
        except GuestError:
            if not after:
                raise
        else:
            return name
    raise AssertionError("the last engine's error was raised")


def run_in_guest(
    names: Sequence[str],
    command: Sequence[str],
    environment: Mapping[str, str],
    writable: Sequence[Path] = (),
    *,
    own: bool = False,
) -> int:
    """Run a command in a guest of the first engine of ``names`` that starts, with this process's streams, signals and
    terminal; its exit status. ``own``: not in a guest that stays.

    Where an engine does not start, one line on standard error says why, and the next is taken; the last one's
    GuestError is raised. Raises GuestError too when the guest ends before the command has.
    """
    request = request_for(command, environment, writable)
    if not_to_be_seen([sys.prefix], request.writable):
        why = f"the rig is installed in {sys.prefix}, and the lab has a /tmp of its own"
        raise GuestError(why, "install it elsewhere")
    for word in not_to_be_seen(command, request.writable):
        print(f"lab: {word} is this machine's, and the lab has a /tmp of its own: put it elsewhere", file=sys.stderr)
    for name, after in zip(names, [*names[1:], ""], strict=True):
        inside = request.within({INSIDE: name})
        if not own and (status := staying.run(name, inside)) is not None:
            return status
        with contextlib.ExitStack() as stack:
            try:
                guest = stack.enter_context(booted(name, writable))
            except GuestError as error:
                if not after:
                    raise
                print(f"lab: {error}; taking {after}", file=sys.stderr)
            else:
                return guest.run(inside)
    raise AssertionError("the last engine's error was raised")


def environment_inside() -> dict[str, str]:
    """What a command inside finds in its environment: all that is here.

    TMPDIR is left out: the guest has a /tmp of its own. An ordinary user's PATH often lacks the folders of
    pppd and iptables, which it needs as root inside.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("TMPDIR", "LD_PRELOAD")}
    folders = kept.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join([*folders, *(folder for folder in SYSTEM_FOLDERS if folder not in folders)])
    return kept | {"PATH": path}
