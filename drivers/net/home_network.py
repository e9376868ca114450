"""The network that this program was started in, from wherever one of its threads has gone.

What a bench names by a host and a port is reached by the machine's own network, not by the namespace of the partner
that wants it: that has no way there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from rig.drivers.base import syscalls

_OWN = "/proc/thread-self/ns/net"


class _Home:
    """Opened before any thread leaves; partners, which are forks of this process, have it too."""

    descriptor = -1


def remember() -> int:
    """This is home, unless it is known already; its descriptor. Whoever makes or enters a namespace says so first."""
    if _Home.descriptor < 0:
        _Home.descriptor = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    return _Home.descriptor


@contextlib.contextmanager
def inside(network: int) -> Iterator[None]:
    """Let the calling thread be in the network namespace of a descriptor, and back afterwards."""
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(network, syscalls.CLONE_NEWNET)
        try:
            yield
        finally:
            syscalls.setns(before, syscalls.CLONE_NEWNET)
    finally:
        os.close(before)


@contextlib.contextmanager
def at_home() -> Iterator[None]:
    """Let the calling thread be there: a connection that it makes belongs to it. Nobody has to be root who is there."""
    home = remember()
    if os.stat(_OWN).st_ino == os.fstat(home).st_ino:
        yield
        return
    with inside(home):
        yield
