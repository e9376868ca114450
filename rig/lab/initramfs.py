"""The first file system of the QEMU guest: a static busybox, the modules that reach the host's files, a script.

Written as cpio "newc" (the kernel's Documentation/driver-api/early-userspace/buffer-format), which no tool of
a small system need be there for.
"""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from rig.drivers.base.program import find

MODULES = ("virtio_pci", "9p", "9pnet_virtio", "virtio_console")

SCRIPT = """#!/bin/busybox sh
/bin/busybox echo "$SIGN"
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod $module; done
for word in $(/bin/busybox cat /proc/cmdline); do
    case $word in rig.init=*) init=${word#rig.init=} ;; esac
done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 root /root
/bin/busybox umount /proc
exec /bin/busybox switch_root /root $init
"""
"""cache=loose: what is on the host does not change under a guest that lives for a minute."""


def module_files(root: Path, release: str) -> list[Path]:
    """The files of MODULES and of what they need, in the order in which they are loaded."""
    found: dict[Path, None] = {}
    for module in MODULES:
        command = [find("modprobe", "kmod"), "-d", str(root), "-S", release, "--show-depends", module]
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
            if line.startswith("insmod "):
                found[Path(line.split()[1])] = None
    return list(found)


def build(root: Path, release: str, sign: str) -> bytes:
    """The archive, from the guest's files in ``root``. ``sign``: what it says first, on the console."""
    archive = b"".join(_entry(name, stat.S_IFDIR | 0o755, b"") for name in ("bin", "modules", "proc", "root", "dev"))
    archive += _entry("bin/busybox", stat.S_IFREG | 0o755, (root / "bin/busybox").read_bytes())
    archive += _entry("init", stat.S_IFREG | 0o755, SCRIPT.replace("$SIGN", sign).encode())
    for position, file in enumerate(module_files(root, release)):
        archive += _entry(f"modules/{position:02d}-{file.name}", stat.S_IFREG | 0o644, file.read_bytes())
    return archive + _entry("TRAILER!!!", 0, b"")


_numbers = iter(range(1, 1 << 30))


def _entry(name: str, mode: int, data: bytes) -> bytes:
    path = name.encode() + b"\0"
    fields = (next(_numbers), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
