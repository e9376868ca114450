"""User-Mode Linux as the lab: a Linux kernel with PPP as an ordinary process, on this machine's files.

The guest's root is the host's, read-only (hostfs); guest.py is its init. It needs neither root nor anything
of the host's kernel. Measured: at a command in two seconds.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rig.drivers.base.errors import GuestError
from rig.lab import floating_point, not_starting, processor, uml_kernel
from rig.lab.outside import Guest, take_signals, write_init
from rig.lab.relay import Line

MEGABYTES = 1024
BOOT_SECONDS = 60.0
MEMORY_FOLDERS = ("/dev/shm", tempfile.gettempdir(), "/var/tmp")  # noqa: S108 - its memory is a file, unlinked


class UmlLab:
    """``mend``: whether what :mod:`floating_point` tells of is preloaded; None for where this machine needs it.
    ``library``: another one than it builds."""

    name = "uml"

    def __init__(self, mend: bool | None = None, library: Path | None = None) -> None:
        self._mend = mend
        self._library = library

    def missing(self, *, usb: bool = False, ppp: bool = True) -> str:
        """What keeps a guest from starting here; empty when nothing does."""
        if uml_kernel.find() is None:
            return f"{uml_kernel.NAME} (Debian package user-mode-linux)"
        if usb:
            return "USB: its kernel has none"
        return ""

    def check(self) -> Path | None:
        """The mend, where it is to be preloaded. Raises GuestError where this machine needs it and it was not built."""
        kernel = uml_kernel.find()
        if kernel is not None and kernel.any_processor:
            return None
        if not (floating_point.needs_mend() if self._mend is None else self._mend):
            return None
        library = self._library or floating_point.built()
        if not library.exists():
            why, what_mends = not_starting.FLOATING_POINT
            raise GuestError(f"{self.name} did not start: {why}", what_mends)
        return library

    def start(self, folder: Path, writable: Sequence[Path] = (), lines: int = 1) -> Guest:
        """Start a guest whose files are in ``folder``; with more than one line it stays. Raises GuestError as
        :meth:`check` does."""
        mend, kernel = self.check(), uml_kernel.find()
        if kernel is None:
            raise GuestError(
                f"{self.name} did not start: there is no {self.missing()}", "apt-get install user-mode-linux"
            )
        devices = [f"/dev/ttyS{number}" for number in range(lines)]
        shares = {"": "hostfs"}
        init = write_init(folder, devices, shares, lines > 1, modules=kernel.modules)
        log = folder / "console.log"
        place = processor.take()

        def become_guest() -> None:
            take_signals()
            os.sched_setaffinity(0, {place.processor})

        into = [os.pipe() for _ in range(lines)]
        out = [os.pipe() for _ in range(lines)]
        theirs = [*(reader for reader, _ in into), *(writer for _, writer in out)]
        preloaded = [*([str(mend)] if mend else []), *os.environ.get("LD_PRELOAD", "").split()]
        with log.open("wb") as console:
            process = subprocess.Popen(
                [
                    kernel.program, *kernel.words, "rootfstype=hostfs", "rootflags=/", "ro",
                    f"mem={MEGABYTES}M", f"init={init}",
                    "con=null", "con0=null,fd:1", "ssl=null", "quiet",
                    *(f"ssl{number}=fd:{into[number][0]},fd:{out[number][1]}" for number in range(lines)),
                ],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                pass_fds=(*theirs, place.claim.fileno()),
                start_new_session=True,
                preexec_fn=become_guest,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(folder),  # the kernel keeps its own files in ~/.uml
                    "TMPDIR": memory_folder(),
                    **({"LD_PRELOAD": " ".join(preloaded)} if preloaded else {}),
                },
            )  # fmt: skip
        for descriptor in theirs:
            os.close(descriptor)
        place.claim.close()  # the guest has it now
        ends = [Line(reader, writer) for (reader, _), (_, writer) in zip(out, into, strict=True)]
        return Guest(self.name, process, ends, log, BOOT_SECONDS, shares)


def memory_folder() -> str:
    """Where the guest's memory is put: the first folder that has room, and from which may be executed.

    A container's /dev/shm often has neither. Where none will do it is the first, and the kernel says what is wrong.
    """
    return next((folder for folder in MEMORY_FOLDERS if _holds_memory(folder)), MEMORY_FOLDERS[0])


def _holds_memory(folder: str) -> bool:
    try:
        room = os.statvfs(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(mmap.PAGESIZE)
            mmap.mmap(file.fileno(), mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()
    except OSError:
        return False
    return room.f_bavail * room.f_frsize >= MEGABYTES << 20
