"""Firewall rules as iptables-restore text, one atomic commit for each change.

The kernel decides which back end works (User-Mode Linux has no nf_tables for IPv4, others no ip_tables);
it is found by trying, once.
"""

from __future__ import annotations

import functools
import subprocess

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.program import find
from rig.drivers.net.namespace import NetworkNamespace, has_ipv6

BACK_ENDS = ("iptables-nft", "iptables-legacy")
BOUND_SECONDS = 20.0
HAS_OPTIONS = '-m u32 --u32 "0>>24&0xF=6:15"'
"""An IPv4 header of more than five words (RFC 791 §3.1)."""
TRIAL = "*filter\n:rig-trial -\n-X rig-trial\nCOMMIT\n"
"""Adds a chain and removes it: a listing alone succeeds on kernels that lack the tables."""


@functools.cache
def back_end() -> str:
    """The iptables whose back end this kernel has, tried in the calling thread's namespace.

    Raises CannotRunError when it has neither.
    """
    said = []
    for name in BACK_ENDS:
        try:
            result = _restore(name, TRIAL)
        except CannotRunError:
            said.append(f"{name} is not installed")
            continue
        if result.returncode == 0:
            return name
        said.append(f"{name}: {result.stderr.strip().splitlines()[-1] if result.stderr.strip() else 'failed'}")
    raise CannotRunError("no firewall back end works: " + "; ".join(said), "apt-get install iptables")


@functools.cache
def _path(program: str) -> str:
    """Found once: in a lab's guest each folder of PATH that is looked into is a question to the host."""
    return find(program, "iptables")


def _restore(name: str, rules: str, *, whole: bool = False) -> subprocess.CompletedProcess[str]:
    """``name``: iptables or ip6tables, with the back end; ``whole``: of each table that is there nothing stays."""
    command = [_path(f"{name}-restore"), "-w", *([] if whole else ["--noflush"])]
    return subprocess.run(command, input=rules, capture_output=True, text=True, timeout=BOUND_SECONDS)


def _of_version(version: int) -> str:
    """The iptables of this kernel, or its ip6tables."""
    return back_end() if version == 4 else back_end().replace("iptables", "ip6tables")


def apply(namespace: NetworkNamespace, rules: str, *, version: int = 4, whole: bool = False) -> None:
    """Commit iptables-restore text, for IPv4 or IPv6, on top of what is there: all of it, or nothing. ``whole``:
    instead of what is there, in the tables that it names.

    For IPv6 on a kernel that does not speak it there is nothing to do.

    Raises RuntimeError with the line that was refused; the text is then not in force at all.
    """
    if version == 6 and not has_ipv6():
        return
    with namespace.entered():
        result = _restore(_of_version(version), rules, whole=whole)
    if result.returncode != 0:
        raise RuntimeError(f"firewall rules refused: {result.stderr.strip()}\n{rules}")


def save(namespace: NetworkNamespace, *, version: int = 4) -> str:
    """The rules in force with their counters, as iptables-save or ip6tables-save prints them; "" for IPv6 on a kernel
    that does not speak it."""
    if version == 6 and not has_ipv6():
        return ""
    with namespace.entered():
        result = subprocess.run(
            [_path(f"{_of_version(version)}-save"), "-c"],
            capture_output=True,
            text=True,
            timeout=BOUND_SECONDS,
            check=True,
        )
    return result.stdout
