"""The network that this program was started in, from wherever one of its threads has gone.

What a bench names by a host and a port is reached by the machine's own network, not by the namespace of the partner
that wants it: that has no way there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from drivers import syscalls

_OWN = "/proc/thread-self/ns/net"
_home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
"""Opened with the first import, before any thread has left; partners, which are forks of this process, have it too."""


@contextlib.contextmanager
def at_home() -> Iterator[None]:
    """Let the calling thread be there: a connection that it makes belongs to it."""
    if os.stat(_OWN).st_ino == os.fstat(_home).st_ino:
        yield
        return
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(_home, syscalls.CLONE_NEWNET)
        try:
            yield
        finally:
            syscalls.setns(before, syscalls.CLONE_NEWNET)
    finally:
        os.close(before)
