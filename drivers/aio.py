"""Several reads and writes under way on one file at a time (Linux AIO, io_submit(2)), for asyncio.

A FunctionFS endpoint does one transfer per system call; to keep a USB bus busy several must be queued. epoll
does not know such files. There is no wrapper for this in Python, and libaio is no more than these calls.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable
from dataclasses import dataclass

_NUMBERS = {  # io_setup, io_destroy, io_getevents, io_submit: asm/unistd.h
    "x86_64": (206, 207, 208, 209),
    "aarch64": (0, 1, 4, 2),
}
_IOCB = struct.Struct("=QLiHhLQQqQLL")
"""linux/aio_abi.h: data, key, rw_flags, opcode, priority, descriptor, buffer, bytes, offset, reserved, flags, resfd."""
_EVENT = struct.Struct("=QQqq")
_PREAD, _PWRITE, _FLAG_RESFD = 0, 1, 1
_AT_ONCE = 64

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

Done = Callable[[int, bytes], None]
"""Told how a transfer ended: bytes transferred, or minus an errno; and what was read."""


@dataclass
class _Transfer:
    control: ctypes.Array[ctypes.c_char]
    buffer: ctypes.Array[ctypes.c_char]
    reading: bool
    done: Done


class AsyncFiles:
    """A queue of transfers, its ends told within the running asyncio loop. Raises OSError as the kernel does."""

    def __init__(self) -> None:
        try:
            self._setup, self._destroy, self._getevents, self._submit = _NUMBERS[platform.machine()]
        except KeyError:
            raise OSError(errno.ENOSYS, f"no AIO numbers for {platform.machine()}") from None
        self._context = ctypes.c_ulong(0)
        self._call(self._setup, ctypes.c_uint(_AT_ONCE), ctypes.byref(self._context))
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._transfers: dict[int, _Transfer] = {}
        self._next = 1
        asyncio.get_running_loop().add_reader(self._eventfd, self._collect)

    @staticmethod
    def _call(number: int, *arguments: object) -> int:
        result = int(_libc.syscall(ctypes.c_long(number), *arguments))
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def read(self, descriptor: int, size: int, done: Done) -> None:
        """Read up to ``size`` bytes."""
        self._start(descriptor, ctypes.create_string_buffer(size), size, done, reading=True)

    def write(self, descriptor: int, data: bytes, done: Done) -> None:
        """Write all of ``data``, as one transfer."""
        self._start(descriptor, ctypes.create_string_buffer(data, len(data)), len(data), done, reading=False)

    def _start(
        self, descriptor: int, buffer: ctypes.Array[ctypes.c_char], size: int, done: Done, *, reading: bool
    ) -> None:
        key = self._next
        self._next += 1
        control = ctypes.create_string_buffer(
            _IOCB.pack(
                key, 0, 0, _PREAD if reading else _PWRITE, 0, descriptor, ctypes.addressof(buffer), size, 0, 0,
                _FLAG_RESFD, self._eventfd,
            ),
            _IOCB.size,
        )  # fmt: skip
        self._transfers[key] = _Transfer(control, buffer, reading, done)
        pointer = ctypes.c_void_p(ctypes.addressof(control))
        try:
            self._call(self._submit, self._context, ctypes.c_long(1), ctypes.byref(pointer))
        except OSError:
            del self._transfers[key]
            raise

    def _collect(self) -> None:
        try:
            os.eventfd_read(self._eventfd)
        except BlockingIOError:
            return
        room = ctypes.create_string_buffer(_EVENT.size * _AT_ONCE)
        zero = (ctypes.c_long * 2)(0, 0)
        count = self._call(
            self._getevents, self._context, ctypes.c_long(0), ctypes.c_long(_AT_ONCE), room, ctypes.byref(zero)
        )
        for key, _, result, _ in _EVENT.iter_unpack(room.raw[: count * _EVENT.size]):
            transfer = self._transfers.pop(key)
            data = transfer.buffer.raw[:result] if transfer.reading and result > 0 else b""
            transfer.done(result, data)

    def close(self) -> None:
        """Give the queue back; the kernel waits for what is under way, so close its files' other side first."""
        asyncio.get_running_loop().remove_reader(self._eventfd)
        self._call(self._destroy, self._context)
        os.close(self._eventfd)
        self._transfers.clear()
