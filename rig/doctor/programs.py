"""The programs that the rig starts, and their versions; who may start them."""

from __future__ import annotations

import grp
import os
import re
import subprocess
from collections.abc import Iterator

from rig.doctor.finding import Finding, State
from rig.drivers.base import program
from rig.drivers.base.errors import CannotRunError
from rig.lab import uml_kernel

BOUND_SECONDS = 20.0
VERSION = re.compile(r"\d+(?:\.\d+)+[\w.-]*")
PROGRAMS = (
    ("pppd", "ppp", "--version"),
    ("iptables", "iptables", "--version"),
    ("conntrack", "conntrack", "--version"),
    ("ip", "iproute2", "-V"),
    ("dnsmasq", "dnsmasq-base", "--version"),
    ("modprobe", "kmod", "--version"),
    (uml_kernel.NAME, "user-mode-linux", "--version"),
    ("qemu-system-x86_64", "qemu-system-x86", "--version"),
)


def programs() -> Iterator[Finding]:
    """Each, with its version, or the command that installs it."""
    for name, package, option in PROGRAMS:
        try:
            path = program.find(name, package)
        except CannotRunError as error:
            yield Finding("programs", name, State.MISSING, "", error.advice)
            continue
        yield version(name, path, option, package)
    if (own := uml_kernel.built()).exists():
        yield version("linux.uml of make kernel", str(own), "--version", "")


def version(name: str, path: str, option: str, package: str) -> Finding:
    """What it says of itself. One that may not be executed, as pppd by users outside dip, the lab copies."""
    try:
        said = subprocess.run([path, option], capture_output=True, text=True, timeout=BOUND_SECONDS, check=False)
    except PermissionError:
        return Finding("programs", name, State.OK, f"{path}: not for this user; in the lab it is copied")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("programs", name, State.BROKEN, f"{path}: {error}", f"apt-get install --reinstall {package}")
    text = said.stdout + said.stderr
    number = VERSION.search(text)
    if said.returncode != 0 and number is None:
        found = f"{path} ended with {said.returncode}: {text.strip().splitlines()[-1:] or 'nothing'}"
        return Finding("programs", name, State.BROKEN, found, f"apt-get install --reinstall {package}")
    return Finding("programs", name, State.OK, number[0] if number else path)


def rights() -> Iterator[Finding]:
    """Who this is. Root is for real modems alone."""
    if os.geteuid() == 0:
        yield Finding("rights", "user", State.OK, "root")
        return
    names = {grp.getgrgid(number).gr_name for number in os.getgroups()}
    yield Finding("rights", "user", State.OK, "not root: emulated benches run in the lab; real modems need root")
    if "dialout" in names:
        yield Finding("rights", "group dialout", State.OK, "may open serial ports")
    else:
        yield Finding("rights", "group dialout", State.MISSING, "ports may not be opened", "sudo adduser $USER dialout")
