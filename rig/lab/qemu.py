"""QEMU as the lab: Debian's stock kernel, which has a USB stack with software devices, on this machine's files.

The guest's root is the host's, read-only (9p); guest.py is its init. It runs under software emulation where
KVM cannot be had, or is there and does not run anything, as in some nested virtual machines. Measured under
software emulation: the kernel is up in two seconds, Python runs some ten times slower than outside.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from rig.drivers.base import syscalls
from rig.lab import cache, seen
from rig.lab.outside import PROJECT, Guest, take_signals, write_init
from rig.lab.relay import Line, writable_folders

QEMU = "qemu-system-x86_64"
FETCHER = Path(__file__).with_name("guest-files")
MEMORY = "1024"
SIGN_OF_LIFE = "rig: the kernel is up"
BOOT_SECONDS = 120.0
KVM_SECONDS = 15.0
"""With KVM a kernel is up in a second, or never."""
KVM = ("kvm", "host,-arch-capabilities")
EMULATION = ("tcg,thread=multi", "max")


def files() -> Path:
    """What that has fetched, or is to: in a checkout for this one, by `make usb-guest`."""
    return PROJECT / ".guest" if (PROJECT / "Makefile").exists() else cache.folder() / "guest"


class QemuLab:
    """Runs each command in a guest of its own, or in one that stays."""

    name = "qemu"

    def missing(self, *, usb: bool = False, ppp: bool = True) -> str:
        """What keeps a guest from starting here; empty when nothing does."""
        if platform.machine() != "x86_64":
            return f"a processor of the kind that its kernel is for (x86_64; this is {platform.machine()})"
        if shutil.which(QEMU) is None:
            return f"{QEMU} (Debian package qemu-system-x86)"
        if not list(files().glob("boot/vmlinuz-*")):
            return f"its kernel in {files()} (sh {FETCHER} {files()})"
        return ""

    def check(self) -> None:
        """Nothing is known beforehand."""

    def start(self, folder: Path, writable: Sequence[Path] = (), lines: int = 1) -> Guest:
        """Start a guest whose files are in ``folder``, with KVM where that runs anything; with more than one line it
        stays. With KVM it has shown that it runs, on return."""
        if kvm_may_work():
            guest = start(folder, *KVM, BOOT_SECONDS, writable, lines)
            alive = shows_life(guest, KVM_SECONDS)
            seen.remember_kvm(alive)
            if alive:
                return guest
            guest.close()
        return start(folder, *EMULATION, BOOT_SECONDS, writable, lines)


def kvm_may_work() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and not seen.kvm_runs_nothing()


def shows_life(guest: Guest, seconds: float) -> bool:
    """Whether the guest's kernel has said anything within so many seconds, before it ended. What is slow after that is
    slow, and no fault of KVM's."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if SIGN_OF_LIFE in guest.log.read_text(errors="replace"):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            guest.process.wait(0.05)
            return False
    return False


def start(
    folder: Path, accelerator: str, processor: str, boot_seconds: float, writable: Sequence[Path], lines: int
) -> Guest:
    """Start a guest whose files are in ``folder``."""
    from rig.lab import initramfs  # it starts programs, which imports much that UML's users have no use for

    fetched = files()
    kernel = max(fetched.glob("boot/vmlinuz-*"))
    release = kernel.name.removeprefix("vmlinuz-")
    first_files = folder / "initramfs"
    first_files.write_bytes(initramfs.build(fetched, release, SIGN_OF_LIFE))
    ports = [f"rig{number}" for number in range(lines)]
    shares = {path: f"writable{position}" for position, path in enumerate(writable_folders(writable))}
    init = write_init(
        folder, [f"virtio:{port}" for port in ports], shares, lines > 1,
        modules=str(fetched / "lib/modules"), udev=str(fetched),
    )  # fmt: skip
    log = folder / "console.log"
    pairs = [socket.socketpair() for _ in ports]
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
                *(word for path, tag in shares.items() for word in _share(path, tag)),
                "-device", f"virtio-serial-pci,max_ports={lines + 1}",
                *(word for port, (_, theirs) in zip(ports, pairs, strict=True) for word in _port(port, theirs)),
            ],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            pass_fds=[theirs.fileno() for _, theirs in pairs],
            start_new_session=True,
            preexec_fn=_go_with_starter,
        )  # fmt: skip
    ends = []
    for ours, theirs in pairs:
        theirs.close()
        reader = ours.detach()
        ends.append(Line(reader, os.dup(reader)))
    return Guest(QemuLab.name, process, ends, log, boot_seconds, shares)


def _go_with_starter() -> None:
    """In the child: a guest that still boots has no line yet by whose end it would notice that its starter is gone."""
    take_signals()
    syscalls.die_with_parent(signal.SIGTERM)


def _share(path: str, tag: str) -> tuple[str, ...]:
    return (
        "-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap",
        "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}",
    )  # fmt: skip


def _port(name: str, end: socket.socket) -> tuple[str, ...]:
    return (
        "-chardev", f"socket,id={name},fd={end.fileno()}",
        "-device", f"virtserialport,chardev={name},name={name}",
    )  # fmt: skip
