"""A program that runs beside us: what it says, line by line; its end, as an event; signals, by a handle of its own.

Started through ``sh``, which would tell of the end only once nobody holds the program's messages open any
more (a script that it has left behind does), or up to a second late. So the messages and the end are
followed here, by one thread, on a pipe and a pidfd.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import sh

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.interruptions import blocked_for_child, in_child

FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_LINE = 65536
"""Bytes of a line that are kept: more than that is no message."""


def find(name: str, package: str) -> str:
    """The path of a program. Raises CannotRunError, naming the Debian package that has it."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), FOLDERS]))
    if found is None:
        raise CannotRunError(f"there is no {name} here", f"apt-get install {package}")
    return found


def handle_of(pid: int) -> int:
    """A pidfd. For a child that has ended, and was collected, already: something that is readable at once too."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def parents() -> dict[int, int]:
    """Of each process that is there, by its number, the one that has begun it (proc(5))."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


class Program:
    """One run of a program, in a session of its own.

    ``line`` is told, in a thread, of each line that it writes to standard error; ``ended`` of its end, after
    its last line. ``prepare`` is called in the child before the program takes over. ``stdin`` is a
    descriptor; without one there is nothing to read. ``inherited``: descriptors that it has too, by the same number.
    ``handle`` is a pidfd: readable once it has ended.
    """

    def __init__(
        self,
        path: str,
        words: Iterable[str],
        *,
        line: Callable[[str], None],
        prepare: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
        stdin: int | None = None,
        inherited: tuple[int, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._line = line
        self._ended = ended
        self._exited = threading.Event()

        def become() -> None:
            in_child()
            for descriptor in inherited:
                os.set_inheritable(descriptor, True)
            prepare()

        messages, theirs = os.pipe()
        try:
            with contextlib.ExitStack() as files:
                nowhere = files.enter_context(Path(os.devnull).open("r+b", buffering=0))
                errors = files.enter_context(os.fdopen(theirs, "wb"))
                reading = nowhere if stdin is None else files.enter_context(os.fdopen(os.dup(stdin), "rb", buffering=0))
                with blocked_for_child():
                    self._running = sh.Command(path)(
                        *words,
                        _in=reading,
                        _out=nowhere,
                        _err=errors,
                        _tty_out=False,
                        _bg=True,
                        _bg_exc=False,
                        _new_session=True,
                        _pass_fds=set(inherited),
                        _preexec_fn=become,
                        _env={"PATH": FOLDERS, "LC_ALL": "C", **(environment or {})},
                    ).process
            self.handle = handle_of(self._running.pid)
        except BaseException:
            os.close(messages)
            raise
        # Closed with this object, so that no signal ever goes to a number that was used again.
        weakref.finalize(self, os.close, self.handle)
        threading.Thread(target=self._follow, args=(messages,), daemon=True, name=f"program {self.pid}").start()

    @property
    def pid(self) -> int:
        return int(self._running.pid)

    @property
    def running(self) -> bool:
        return not self._exited.is_set()

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative for the signal that killed it."""
        code = self._running.exit_code
        return None if self.running or code is None else int(code)

    def wait(self, timeout: float | None) -> bool:
        """Whether it has ended within so many seconds."""
        return self._exited.wait(timeout)

    def signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.handle, number)

    def kill_with_children(self) -> None:
        """SIGKILL to it and to all that it has started and left in its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def stop(self, seconds: float) -> bool:
        """SIGTERM, SIGKILL after so many seconds; whether it has ended, which the kernel may refuse for long."""
        self.signal(signal.SIGTERM)
        if not self.wait(seconds):
            self.kill_with_children()
        return self.wait(seconds)

    def _follow(self, messages: int) -> None:
        poller = select.poll()
        poller.register(messages, select.POLLIN)
        poller.register(self.handle, select.POLLIN)
        os.set_blocking(messages, False)
        rest, alive = b"", True
        while alive:
            ready = {descriptor for descriptor, _ in poller.poll()}
            alive = self.handle not in ready
            data = self._read(messages) if messages in ready or not alive else None
            if data == b"" and alive:
                poller.unregister(messages)  # it closed its standard error, and goes on
            *lines, rest = (rest + (data or b"")).split(b"\n")
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._line(line.decode(errors="replace"))
        if rest:
            self._line(rest.decode(errors="replace"))
        os.close(messages)
        while self._running.is_alive()[0]:  # sh collects the exit code; False at once but for its own lock
            pass
        self._exited.set()
        self._ended()

    @staticmethod
    def _read(messages: int) -> bytes:
        """All that is there now."""
        parts = []
        with contextlib.suppress(BlockingIOError):
            while part := os.read(messages, 65536):
                parts.append(part)
        return b"".join(parts)
