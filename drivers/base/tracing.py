"""ptrace(2) as this machine has it: whether one process may trace another, and how large a processor's state is to it.

By ctypes, and so by whatever library stands before the C library's own, as for any program.
"""

from __future__ import annotations

import ctypes
import os
import subprocess

PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_GETREGSET = 0x4204
NT_X86_XSTATE = 0x202
WALL = 0x40000000
LARGEST = 1 << 16

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _ptrace(request: int, pid: int, address: int = 0, data: object = None) -> None:
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace: {os.strerror(number)}")


def floating_point_area() -> int:
    """How many bytes of a process's floating-point state (x86's XSAVE area) a tracer is given: 11,008 with AMX.

    Raises PermissionError where tracing is forbidden (Yama, a container's filter), another OSError where the kernel has
    no such state.
    """
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as traced:
        try:
            _ptrace(PTRACE_SEIZE, traced.pid)
            _ptrace(PTRACE_INTERRUPT, traced.pid)
            os.waitpid(traced.pid, WALL)
            area = _Vector(ctypes.addressof(buffer := ctypes.create_string_buffer(LARGEST)), LARGEST)
            _ptrace(PTRACE_GETREGSET, traced.pid, NT_X86_XSTATE, ctypes.byref(area))
            del buffer
            return int(area.length)
        finally:
            traced.kill()


if __name__ == "__main__":
    print(floating_point_area())
