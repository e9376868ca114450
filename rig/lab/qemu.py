"""QEMU as the lab: Debian's stock kernel, which has a USB stack with software devices, on this machine's files.

The guest's root is the host's, read-only (9p); guest.py is its init. It runs under software emulation where
KVM cannot be had, or is there and does not run anything, as in some nested virtual machines. Measured under
software emulation: the kernel is up in two seconds, Python runs some ten times slower than outside.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from drivers.errors import CannotRunError
from rig.lab import initramfs
from rig.lab.outside import PROJECT, Guest, scratch_folder, take_signals, writable_folders, write_init

QEMU = "qemu-system-x86_64"
FILES = PROJECT / ".guest"
"""What scripts/guest-files fetched."""
MEMORY = "1024"
LINE = "rig"
"""The name of its line to the outside, among its virtio ports."""
BOOT_SECONDS = 120.0
KVM_SECONDS = 15.0
"""With KVM a guest is ready in three seconds or never."""
KVM = ("kvm", "host,-arch-capabilities")
EMULATION = ("tcg,thread=multi", "max")


class QemuLab:
    """Runs each command in a guest of its own."""

    name = "qemu"

    def missing(self, *, usb: bool = False) -> str:
        """What keeps a guest from starting here; empty when nothing does."""
        if platform.machine() != "x86_64":
            return f"a processor of the kind that its kernel is for (x86_64; this is {platform.machine()})"
        if shutil.which(QEMU) is None:
            return f"{QEMU} (Debian package qemu-system-x86)"
        if not list(FILES.glob("boot/vmlinuz-*")):
            return f"its kernel in {FILES} (make usb-guest)"
        return ""

    def run(self, command: Sequence[str], environment: Mapping[str, str], writable: Sequence[Path] = ()) -> int:
        """Run a command inside, with this process's streams, signals and terminal; its exit status. ``writable``:
        folders that it may write to, beside the project's.

        Raises CannotRunError when the guest does not boot, or ends before the command has.
        """
        with scratch_folder() as folder:
            if kvm_may_work():
                try:
                    with start(folder, *KVM, KVM_SECONDS, writable) as guest:
                        guest.await_boot()
                        return guest.run(command, environment, writable)
                except CannotRunError:
                    if guest.booted:
                        raise
                    remember_that_kvm_does_not_work()
            with start(folder, *EMULATION, BOOT_SECONDS, writable) as guest:
                guest.await_boot()
                return guest.run(command, environment, writable)


def _kvm_note() -> Path:
    """Where it is remembered, until the machine is started anew, that KVM is there and runs nothing."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Path(tempfile.gettempdir()) / f"rig-no-kvm-{os.getuid()}-{boot}"


def kvm_may_work() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and not _kvm_note().exists()


def remember_that_kvm_does_not_work() -> None:
    _kvm_note().touch()


def start(folder: Path, accelerator: str, processor: str, boot_seconds: float, writable: Sequence[Path] = ()) -> Guest:
    """Start a guest whose files are in ``folder``."""
    kernel = max(FILES.glob("boot/vmlinuz-*"))
    release = kernel.name.removeprefix("vmlinuz-")
    first_files = folder / "initramfs"
    first_files.write_bytes(initramfs.build(FILES, release))
    init = write_init(folder, line=f"virtio:{LINE}", modules=str(FILES / "lib/modules"), shares="9p", udev=str(FILES))
    log = folder / "console.log"
    ours, theirs = socket.socketpair()
    shares = [
        word
        for position, path in enumerate(writable_folders(writable))
        for word in (
            "-fsdev", f"local,id=w{position},path={path},security_model=none,multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev=w{position},mount_tag=writable{position}",
        )
    ]  # fmt: skip
    with log.open("wb") as console:
        process = subprocess.Popen(
            [
                QEMU, "-accel", accelerator, "-cpu", processor, "-M", "q35,usb=off", "-m", MEMORY,
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-kernel", str(kernel), "-initrd", str(first_files),
                "-append", f"console=ttyS0 quiet panic=-1 rdinit=/init rig.init={init}",
                "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
                "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
                "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
                *shares,
                "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=line,fd={theirs.fileno()}",
                "-device", f"virtserialport,chardev=line,name={LINE}",
            ],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            preexec_fn=take_signals,
        )  # fmt: skip
    theirs.close()
    reader = ours.detach()
    return Guest(process, reader, os.dup(reader), log, boot_seconds)
