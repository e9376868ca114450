"""A machine that has started, and its root's shell on the serial console."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pexpect

from rig.lab.qemu import EMULATION, KVM, QEMU, kvm_may_work
from tests.machines.building import Disk

BOOT_SECONDS = 900.0
"""Under software emulation, on a machine that does other things, too."""
SECONDS = 300.0
MEMORY = "3072"


@dataclass(frozen=True)
class Said:
    """What a command has come to."""

    status: int
    text: str

    def check(self) -> str:
        """What it said. Raises AssertionError where it did not end with 0."""
        assert self.status == 0, self.text
        return self.text


class Machine:
    """One start of it: its disk is as it was made, whatever the last one did."""

    def __init__(self, disk: Disk, log: Path) -> None:
        accelerator, processor = KVM if kvm_may_work() else EMULATION
        self._log = log.open("w")
        self._numbers = itertools.count()
        self._console = pexpect.spawn(
            QEMU,
            [
                "-accel", accelerator, "-cpu", processor, "-M", "q35", "-smp", "2", "-m", MEMORY,
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none",
                "-kernel", str(disk.kernel), "-initrd", str(disk.first_files),
                "-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1",
                "-drive", f"file={disk.image},if=virtio,format=raw,snapshot=on",
                "-object", "rng-random,filename=/dev/urandom,id=rng", "-device", "virtio-rng-pci,rng=rng",
                "-serial", "stdio",
            ],
            timeout=BOOT_SECONDS, encoding="utf-8", codec_errors="replace", logfile=self._log, echo=False,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._console.expect(r"root@[\w-]+:~#")
        self._console.sendline("stty -echo; PS1=; PS2=; export LC_ALL=C.UTF-8 TERM=dumb COLUMNS=200; cd /opt/rig")
        self.run("systemctl is-system-running --wait", seconds=BOOT_SECONDS)
        return self

    def run(self, command: str, *, seconds: float = SECONDS) -> Said:
        """A command of the shell's, to its end."""
        number = next(self._numbers)
        self._console.sendline(f'{{ {command}\n}} < /dev/null; s=$?; echo; echo "<{number}""={number}:$s>"')
        self._console.expect(rf"<{number}={number}:(\d+)>", timeout=seconds)
        match, before = self._console.match, self._console.before
        assert isinstance(match, re.Match)
        assert isinstance(before, str)
        return Said(int(match[1]), before.replace("\r\n", "\n").strip())

    def write(self, path: str, text: str) -> None:
        """A file."""
        self.run(f"cat > {path} <<'END_OF_FILE'\n{text}\nEND_OF_FILE\n").check()

    def __exit__(self, *_: object) -> None:
        self._console.close(force=True)
        self._log.close()
