"""The few system calls that Python 3.11 does not offer, by ctypes, in this module and nowhere else.

``os.unshare`` and ``os.setns`` come with Python 3.12; ``mount`` and the PPP and serial ioctls never have.
Every function raises OSError with the kernel's errno.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

PR_SET_PDEATHSIG = 1
TIOCVHANGUP = 0x5437
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
RB_POWER_OFF = 0x4321FEDC

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode() or None)
    _check(result, f"mount {kind or source} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _check(_libc.umount2(target.encode(), flags), f"unmount {target}")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """setns(2) for the calling thread."""
    _check(_libc.setns(descriptor, kind), "setns")


def set_up(interface: str) -> None:
    """Bring up a network interface of the calling thread's namespace (netdevice(7)); only what has no other flags."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        fcntl.ioctl(asker, SIOCSIFFLAGS, struct.pack("16sh22x", interface.encode(), IFF_UP))


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when the thread that started it ends (PR_SET_PDEATHSIG)."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def hang_up_terminal(descriptor: int) -> None:
    """TIOCVHANGUP: whoever has the terminal open loses it, and a real one drops DTR."""
    fcntl.ioctl(descriptor, TIOCVHANGUP)


def power_off() -> None:
    """reboot(2) with power off: for the init process of a lab's guest."""
    os.sync()
    _check(_libc.reboot(RB_POWER_OFF), "reboot")


def write_all(descriptor: int, data: bytes) -> None:
    """write(2) until all of it is taken."""
    while data:
        data = data[os.write(descriptor, data) :]
