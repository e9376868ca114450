"""One command inside a guest: started with its streams, and relayed to and from the outside until it has ended.

In a guest that stays it has processes, mounts, temporary folders and a network of its own, which go with it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

from rig.drivers.base import syscalls
from rig.lab.channel import Decoder, Frame, Kind, Request, encode

CHUNK = 32768
END_SECONDS = 15.0
"""How long a command may take to end after SIGTERM, when the outside has died."""
DRAIN_SECONDS = 0.05
"""How long after the command's end its streams may be silent, where something that it left behind has them open."""
PROGRAMS = Path("/run/programs")
KEPT = ("modules", "programs", "udev")
"""Of the guest's /run, what every command finds there."""
NOSUID = syscalls.MS_NOSUID | syscalls.MS_NODEV
HARMLESS = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
"""What may be said to an interpreter and changes nothing for one that has imported everything, and flushes lines."""
FREED = 3
"""Exit status of a session whose outside went away, and whose line it has given back itself; see Kind.FREE."""


def isolate() -> None:
    """In the first process of a new PID namespace: mounts, temporary folders and, where that can be, a network of
    its own.

    Under udev the network is the guest's: udev tells of devices within one network namespace alone.
    """
    udev = Path("/run/udev").exists()
    syscalls.unshare(syscalls.CLONE_NEWNS | (0 if udev else syscalls.CLONE_NEWNET))
    syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("proc", "/proc", "proc", NOSUID)
    syscalls.mount("tmpfs", "/dev/shm", "tmpfs", NOSUID)  # noqa: S108 - the guest's own
    run = Path("/dev/shm/run")  # noqa: S108
    run.mkdir()
    syscalls.mount("tmpfs", str(run), "tmpfs", NOSUID)
    for name in ("lock", "netns"):
        (run / name).mkdir()
    (run / "lock").chmod(0o1777)  # as in guest.py
    for name in KEPT:
        if Path("/run", name).exists():
            (run / name).mkdir()
            syscalls.mount(f"/run/{name}", str(run / name), "", syscalls.MS_BIND)
    syscalls.mount(str(run), "/run", "", syscalls.MS_MOVE)
    if Path("/etc/ppp").is_dir():
        syscalls.mount("tmpfs", "/etc/ppp", "tmpfs", NOSUID)
    if not udev:
        syscalls.mount("sys", "/sys", "sysfs", NOSUID)
        syscalls.set_up("lo")


def expose(folders: list[str]) -> None:
    """Give the guest a /tmp of its own, and write access to the named folders of the host, wherever they are."""
    syscalls.mount("tmpfs", "/tmp", "tmpfs", NOSUID)  # noqa: S108
    shares = json.loads(os.environ["RIG_SHARES"])
    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
        if "" in shares:
            syscalls.mount("none", folder, "hostfs", syscalls.MS_NOSUID, folder)
        else:
            options = "trans=virtio,version=9p2000.L,cache=mmap,msize=512000"
            syscalls.mount(shares[folder], folder, "9p", syscalls.MS_NOSUID, options)


def set_window(descriptor: int, rows: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def is_rig(request: Request) -> bool:
    """Whether it is this very project's command, for an interpreter as this one is: then no other has to start."""
    changed = {name for name in request.environment if name.startswith("PYTHON")} - set(HARMLESS)
    same = os.path.dirname(request.command[0]) == os.path.dirname(sys.executable)  # whichever of a venv's names it has
    return same and request.command[1:3] == ["-m", "rig"] and not changed


def become_rig(request: Request, environment: dict[str, str]) -> int:
    """In the command's own process: be `python -m rig`; its exit status."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [request.command[0], *request.command[3:]]
    sys.path.insert(0, request.directory)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, buffering=1, closefd=False, errors=errors)  # noqa: SIM115 - as long as the process
        for number, mode, errors in ((0, "r", None), (1, "w", None), (2, "w", "backslashreplace"))
    )
    from rig.__main__ import main

    try:
        main()
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    with contextlib.suppress(OSError, ValueError):  # who reads may be gone
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)


class Command:
    """The command inside: a child whose streams are a terminal where the outside's are, pipes elsewhere."""

    def __init__(self, request: Request) -> None:
        self.unread = b""  # input that the command has not taken yet
        self.readers: dict[int, Kind] = {}
        self.master: int | None = None
        self.input: int | None = None
        self.status: int | None = None
        slave = -1
        if request.terminals:
            self.master, slave = pty.openpty()
            set_window(self.master, request.rows, request.columns)
            self.readers[self.master] = Kind.STDOUT if "stdout" in request.terminals else Kind.STDERR
        theirs = []
        for number, (name, kind) in enumerate((("stdin", None), ("stdout", Kind.STDOUT), ("stderr", Kind.STDERR))):
            if name in request.terminals:
                theirs.append(slave)
                if number == 0:
                    self.input = self.master
                continue
            reader, writer = os.pipe()
            theirs.append(reader if kind is None else writer)
            if kind is None:
                self.input = writer
                os.set_blocking(writer, False)
            else:
                self.readers[reader] = kind
        self.pid = os.fork()
        if self.pid == 0:
            _become(request, theirs, slave)
        for descriptor in {*theirs, slave} - {-1}:
            os.close(descriptor)

    def signal(self, number: int) -> None:
        """To all that the command has in its session's first process group."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def collect(self) -> bool:
        """Whether it has ended. Orphans, which become children of a namespace's first process, are collected too."""
        with contextlib.suppress(ChildProcessError):
            while self.status is None:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self.pid:
                    code = os.waitstatus_to_exitcode(status)
                    self.status = 128 - code if code < 0 else code
        return self.status is not None

    def handle(self, frame: Frame) -> None:
        """Carry one frame from the outside to the command."""
        if frame.kind is Kind.SIGNAL:
            self.signal(int(frame.payload))
        elif frame.kind is Kind.WINDOW and self.master is not None:
            rows, columns = struct.unpack("!HH", frame.payload)
            set_window(self.master, rows, columns)
        elif frame.kind is Kind.STDIN:
            self.unread += frame.payload
        elif frame.kind is Kind.STDIN_END and self.input != self.master:
            self._close_input()

    def feed(self) -> None:
        """Give the command what it can take of its input."""
        if self.input is None:
            return
        try:
            self.unread = self.unread[os.write(self.input, self.unread) :]
        except BlockingIOError:
            return
        except OSError:  # it reads no more
            self._close_input()

    def _close_input(self) -> None:
        self.unread = b""
        if self.input is not None and self.input != self.master:
            os.close(self.input)
            self.input = None

    def read(self, descriptor: int) -> bytes:
        """What the command wrote; empty at its end (a pty says EIO there)."""
        try:
            return os.read(descriptor, CHUNK)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""


def _become(request: Request, streams: list[int], terminal: int) -> None:
    """In the child: the command. Never returns."""
    status = 127
    try:
        os.setsid()
        if terminal >= 0:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        os.closerange(3, 256)
        try:
            os.chdir(request.directory)
            environment = request.environment | {"PATH": f"{PROGRAMS}:{request.environment.get('PATH', os.defpath)}"}
            if is_rig(request):
                status = become_rig(request, environment)
            else:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.execvpe(request.command[0], request.command, environment)  # noqa: S606 - no shell is meant to be there
        except OSError as error:
            os.write(2, f"lab: {error}\n".encode())
        except BaseException:  # noqa: BLE001 - as the interpreter's own end would have it
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            status = 1
    finally:
        os._exit(status)


def woken_by_children() -> int:
    """A descriptor that is readable when a child of this process has ended."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


class Session:
    """Relays between the line and the command until the command has ended and its output is drained."""

    def __init__(self, line: int, decoder: Decoder, frames: list[Frame]) -> None:
        """``frames``: what the outside has said after its request."""
        self.line = line
        self.decoder = decoder
        self.frames = frames
        self.freed = b""
        self.watched: set[int] = set()
        self.alone = False  # nobody is outside any more
        self.give_up = 0.0
        self.wake_reader = woken_by_children()

    def run(self, request: Request) -> None:
        """Run the command; tell its exit status, 128 + N when signal N ended it."""
        status = 127
        try:
            expose(request.writable)
            command = Command(request)
        except OSError as error:
            self._tell(Kind.STDERR, f"lab: {error}\n".encode())
        else:
            self._relay_all(command)
            status = command.status or 0
        self._tell(Kind.EXIT, str(status).encode())
        if self.freed:
            syscalls.write_all(self.line, encode(Kind.FREE, self.freed))
        if os.isatty(self.line):
            termios.tcdrain(self.line)

    def _relay_all(self, command: Command) -> None:
        self.watched = {self.line, self.wake_reader, *command.readers}
        for frame in self.frames:
            self._from_outside(command, frame)
        self._tell(Kind.READY)
        while not command.collect():
            self._relay(command, timeout=1.0 if self.alone else None)
            if self.alone and time.monotonic() > self.give_up:
                command.signal(signal.SIGKILL)
        while command.readers and self._relay(command, timeout=DRAIN_SECONDS):
            pass

    def _tell(self, kind: Kind, payload: bytes = b"") -> None:
        if not self.alone:
            syscalls.write_all(self.line, encode(kind, payload))

    def _relay(self, command: Command, timeout: float | None) -> bool:
        waiting = [command.input] if command.unread and command.input is not None else []
        ready = select.select(self.watched, waiting, [], timeout)
        if ready[1]:
            command.feed()
            if not command.unread:
                self._tell(Kind.READY)
        for descriptor in ready[0]:
            if descriptor == self.wake_reader:
                os.read(descriptor, 512)
            elif descriptor == self.line:
                self._read_outside(command)
            else:
                self._from_command(command, descriptor)
        return bool(ready[0])

    def _from_command(self, command: Command, descriptor: int) -> None:
        data = command.read(descriptor)
        if data:
            self._tell(command.readers[descriptor], data)
        else:
            self.watched.discard(descriptor)
            del command.readers[descriptor]

    def _read_outside(self, command: Command) -> None:
        try:
            data = os.read(self.line, CHUNK)
        except OSError:
            data = b""
        if not data:
            self._left_alone(command)
        for frame in self.decoder.feed(data):
            self._from_outside(command, frame)

    def _from_outside(self, command: Command, frame: Frame) -> None:
        if frame.kind is Kind.FREE:
            self.freed = frame.payload
            self._left_alone(command)
        else:
            command.handle(frame)

    def _left_alone(self, command: Command) -> None:
        """The outside is gone: end what it had asked for."""
        self.watched.discard(self.line)
        self.alone = True
        self.give_up = time.monotonic() + END_SECONDS
        command.signal(signal.SIGTERM)


def run_apart(line: int, decoder: Decoder, frames: list[Frame], request: Request) -> int:
    """What a session's process does, in a guest that stays; its exit status."""
    isolate()
    session = Session(line, decoder, frames)
    session.run(request)
    return FREED if session.freed else 0
