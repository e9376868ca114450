"""This machine's own kernel as the lab: root, and PPP in the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def _has_dummy_hcd() -> bool:
    if Path("/sys/module/dummy_hcd").exists():
        return True
    if shutil.which("modprobe") is None:
        return False
    return subprocess.run(["modprobe", "-nq", "dummy_hcd"], check=False).returncode == 0


class NativeLab:
    """Commands run here."""

    name = "native"

    def missing(self, *, usb: bool = False, ppp: bool = True) -> str:
        """What keeps this machine's own kernel from being the lab; empty when nothing does. ``ppp``: whether that is
        needed, too."""
        if os.geteuid() != 0:
            return "root (network namespaces and pppd need it)"
        if ppp and not Path("/dev/ppp").exists() and shutil.which("modprobe"):
            subprocess.run(["modprobe", "-q", "ppp_async"], check=False)
        if ppp and not Path("/dev/ppp").exists():
            return "PPP in the kernel (there is no /dev/ppp, and no module ppp_async to load)"
        if usb and not _has_dummy_hcd():
            return "software USB in the kernel (the module dummy_hcd, which stock Debian kernels have)"
        return ""
