"""A program shut in: a network namespace to live in, and folders of its own in the places where it looks for its files.
pppd needs it as a proxy does, and an IKE daemon."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rig.drivers.base import syscalls
from rig.drivers.net.namespace import NetworkNamespace


def isolate(namespace: NetworkNamespace, folders: Mapping[str, Path]) -> None:
    """In a child about to become another program: into the network namespace, each folder in its place.

    A rig that is killed takes the program with it: a session left up costs someone money. One that becomes another user
    is forgotten by the kernel for that; whoever clears the namespace ends it.
    """
    namespace.enter_for_good()
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    for place, folder in folders.items():
        syscalls.mount(str(folder), place, "", syscalls.MS_BIND)
