"""What this machine's own kernel has of what benches need when they run on it, and not in the lab."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rig.doctor.finding import Finding, State
from rig.drivers.base.errors import CannotRunError
from rig.drivers.net import firewall
from rig.lab import seen

GROUP = "kernel"
MODULES = (
    ("PPP", "ppp_generic"),
    ("PPP on serial lines", "ppp_async"),
    ("L2TP", "l2tp_ppp"),
    ("PPPoX sockets", "pppox"),
    ("ESP", "esp4"),
    ("software USB", "dummy_hcd"),
)
OTHER_KERNEL = "apt-get install linux-image-amd64, and start that kernel; the lab does without"
BOUND_SECONDS = 20.0


def kernel() -> Iterator[Finding]:
    """Each part; one that is only missing here is no obstacle where the lab has it."""
    yield Finding(GROUP, "release", State.OK, os.uname().release)
    for name, module in MODULES:
        yield _module(name, module)
    yield _firewall()
    yield _kvm()


def _module(name: str, module: str) -> Finding:
    if Path(f"/sys/module/{module}").is_dir() or (module == "ppp_generic" and Path("/dev/ppp").exists()):
        return Finding(GROUP, name, State.OK, "loaded")
    if shutil.which("modprobe") is None:
        return Finding(GROUP, name, State.MISSING, f"{module} is not loaded", "apt-get install kmod")
    tried = subprocess.run(["modprobe", "-nq", module], check=False, timeout=BOUND_SECONDS)
    if tried.returncode == 0:
        return Finding(GROUP, name, State.OK, f"module {module}, loaded when it is wanted")
    return Finding(GROUP, name, State.MISSING, f"no module {module}", OTHER_KERNEL)


def _firewall() -> Finding:
    if os.geteuid() != 0:
        return Finding(GROUP, "firewall", State.MISSING, "only root can try it", "run as root; the lab does without")
    try:
        return Finding(GROUP, "firewall", State.OK, firewall.back_end())
    except CannotRunError as error:
        return Finding(GROUP, "firewall", State.BROKEN, str(error), error.advice)


def _kvm() -> Finding:
    if not Path("/dev/kvm").exists():
        return Finding(GROUP, "KVM", State.MISSING, "no /dev/kvm: QEMU emulates", "turn on VT-x or AMD-V")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return Finding(GROUP, "KVM", State.BROKEN, "/dev/kvm may not be opened", "sudo adduser $USER kvm")
    if seen.kvm_runs_nothing():
        found = f"/dev/kvm ran nothing, {seen.KVM_FAILURES} times in a row: QEMU emulates"
        return Finding(GROUP, "KVM", State.BROKEN, found, "turn on nested virtualization in the host")
    return Finding(GROUP, "KVM", State.OK, "/dev/kvm")
