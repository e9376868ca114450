"""User-Mode Linux as the lab: a Linux kernel with PPP as an ordinary process, on this machine's files.

The guest's root is the host's, read-only (hostfs); guest.py is its init. It needs neither root nor anything
of the host's kernel. Measured: at a command in two to four seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rig.lab import processor
from rig.lab.outside import Guest, scratch_folder, take_signals, write_init

KERNEL = "linux.uml"
MODULES = "/usr/lib/uml/modules"
MEMORY = "1024M"
BOOT_SECONDS = 60.0


class UmlLab:
    """Runs each command in a guest of its own."""

    name = "uml"

    def missing(self, *, usb: bool = False) -> str:
        """What keeps a guest from starting here; empty when nothing does."""
        if shutil.which(KERNEL) is None:
            return f"{KERNEL} (Debian package user-mode-linux)"
        if usb:
            return "USB: its kernel has none"
        return ""

    def run(self, command: Sequence[str], environment: Mapping[str, str], writable: Sequence[Path] = ()) -> int:
        """Run a command inside, with this process's streams, signals and terminal; its exit status. ``writable``:
        folders that it may write to, beside the project's.

        Raises CannotRunError when the guest does not boot, or ends before the command has.
        """
        with scratch_folder() as folder, start(folder) as guest:
            guest.await_boot()
            return guest.run(command, environment, writable)


def start(folder: Path) -> Guest:
    """Start a guest whose files are in ``folder``."""
    init = write_init(folder, line="/dev/ttyS0", modules=MODULES, shares="hostfs")
    log = folder / "console.log"
    place = processor.take()

    def become_guest() -> None:
        take_signals()
        os.sched_setaffinity(0, {place.processor})

    to_guest, writer = os.pipe()
    reader, from_guest = os.pipe()
    with log.open("wb") as console:
        process = subprocess.Popen(
            [
                KERNEL, "rootfstype=hostfs", "rootflags=/", "ro", f"mem={MEMORY}", f"init={init}",
                "con=null", "con0=null,fd:1", "ssl=null", f"ssl0=fd:{to_guest},fd:{from_guest}", "quiet",
            ],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            pass_fds=(to_guest, from_guest, place.claim.fileno()),
            start_new_session=True,
            preexec_fn=become_guest,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),  # the kernel keeps its own files in ~/.uml
            },
        )  # fmt: skip
    os.close(to_guest)
    os.close(from_guest)
    place.claim.close()  # the guest has it now
    return Guest(process, reader, writer, log, BOOT_SECONDS)
