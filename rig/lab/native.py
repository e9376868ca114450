"""This machine's own kernel as the lab: root, and PPP in the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rig.command import run_command


class NativeLab:
    """Runs commands here."""

    name = "native"

    def missing(self) -> str:
        """What keeps this machine's own kernel from being the lab; empty when nothing does."""
        if os.geteuid() != 0:
            return "root (network namespaces and pppd need it)"
        if not Path("/dev/ppp").exists() and shutil.which("modprobe"):
            subprocess.run(["modprobe", "-q", "ppp_async"], check=False)
        if not Path("/dev/ppp").exists():
            return "PPP in the kernel (there is no /dev/ppp, and no module ppp_async to load)"
        return ""

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command with this process's streams; its exit status, 128 + N when signal N ended it."""
        return run_command(command, environment)
