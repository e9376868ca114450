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

Done = Callable[[int], None]
"""Told how a write ended: bytes transferred, or minus an errno."""
Arrived = Callable[[list[int], bytes], None]
"""Told how reads ended, in their order, each as a write's end is told; and all that was read, joined."""


class _Transfer:
    """One control block with its buffer, used again and again. ``owner`` is told of its end."""

    def __init__(
        self, owner: Reads | Done, descriptor: int, eventfd: int, key: int, buffer: ctypes.Array[ctypes.c_char]
    ) -> None:
        self.owner = owner
        self.buffer = buffer
        reading = isinstance(owner, Reads)
        self._control = ctypes.create_string_buffer(
            _IOCB.pack(
                key, 0, 0, _PREAD if reading else _PWRITE, 0, descriptor, ctypes.addressof(buffer), len(buffer), 0, 0,
                _FLAG_RESFD, eventfd,
            ),
            _IOCB.size,
        )  # fmt: skip
        self.address = ctypes.addressof(self._control)


class Reads:
    """So many reads of one file, kept under way: what arrives is told, and :meth:`resume` asks for more."""

    def __init__(self, files: AsyncFiles, descriptor: int, size: int, count: int, arrived: Arrived) -> None:
        self.arrived = arrived
        self._files = files
        self._idle = [files.prepare(self, descriptor, ctypes.create_string_buffer(size)) for _ in range(count)]

    def resume(self) -> None:
        """Have all of them under way."""
        idle, self._idle = self._idle, []
        self._files.submit(idle)

    def ended(self, transfers: list[tuple[_Transfer, int]]) -> None:
        """For AsyncFiles: these have ended."""
        parts = [transfer.buffer.raw[:size] for transfer, size in transfers if size > 0]
        self._idle += [transfer for transfer, _ in transfers]
        self.arrived([size for _, size in transfers], b"".join(parts))


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
        self._room = ctypes.create_string_buffer(_EVENT.size * _AT_ONCE)
        asyncio.get_running_loop().add_reader(self._eventfd, self._collect)

    @staticmethod
    def _call(number: int, *arguments: object) -> int:
        result = int(_libc.syscall(ctypes.c_long(number), *arguments))
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def prepare(self, owner: Reads | Done, descriptor: int, buffer: ctypes.Array[ctypes.c_char]) -> _Transfer:
        """A transfer, not yet under way."""
        key, self._next = self._next, self._next + 1
        transfer = self._transfers[key] = _Transfer(owner, descriptor, self._eventfd, key, buffer)
        return transfer

    def submit(self, transfers: list[_Transfer]) -> None:
        """Put transfers under way, in their order, with one system call."""
        if transfers:
            pointers = (ctypes.c_void_p * len(transfers))(*(transfer.address for transfer in transfers))
            self._call(self._submit, self._context, ctypes.c_long(len(transfers)), pointers)

    def write(self, descriptor: int, data: bytes, done: Done) -> None:
        """Write all of ``data``, as one transfer."""
        self.submit([self.prepare(done, descriptor, ctypes.create_string_buffer(data, len(data)))])

    def _collect(self) -> None:
        try:
            os.eventfd_read(self._eventfd)
        except BlockingIOError:
            return
        zero = (ctypes.c_long * 2)(0, 0)
        count = self._call(
            self._getevents, self._context, ctypes.c_long(0), ctypes.c_long(_AT_ONCE), self._room, ctypes.byref(zero)
        )
        reads: dict[Reads, list[tuple[_Transfer, int]]] = {}
        for key, _, result, _ in _EVENT.iter_unpack(self._room.raw[: count * _EVENT.size]):
            transfer = self._transfers[key]
            if isinstance(transfer.owner, Reads):
                reads.setdefault(transfer.owner, []).append((transfer, result))
            else:
                del self._transfers[key]
                transfer.owner(result)
        for owner, ended in reads.items():
            owner.ended(ended)

    def close(self) -> None:
        """Give the queue back; the kernel waits for what is under way, so close its files' other side first."""
        asyncio.get_running_loop().remove_reader(self._eventfd)
        self._call(self._destroy, self._context)
        os.close(self._eventfd)
        self._transfers.clear()
