"""A guest as seen from outside: a process that was started, and a line to the guest's init (guest.py).

Carries a command's streams, signals and terminal in and out, whichever engine the guest runs on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from drivers.errors import CannotRunError
from drivers.interruptions import waiting
from rig.lab.channel import PART, Decoder, Frame, Kind, Request, encode

CHUNK = 32768
PREFIX = "rig-lab-"
PROJECT = Path(__file__).resolve().parents[2]
"""Where the guest finds this project, whichever way it was installed."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one guest's files; those whose starter was killed are cleared first."""
    clear_leftovers()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as folder:
        yield Path(folder)


def clear_leftovers() -> None:
    """Remove the folders of guests whose starter was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def writable_folders(more: Sequence[Path] = ()) -> list[str]:
    """The folder of the project that the command was started in, where its results go; and ``more``."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            here = folder
            break
    project = [] if here == Path("/") else [here]
    return [*map(str, project), *(str(one) for one in more if not any(one.is_relative_to(each) for each in project))]


def terminal_size() -> tuple[int, int]:
    """Rows and columns of the terminal that this process talks to."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8)))
            if columns:
                return rows, columns
    return 24, int(os.environ.get("COLUMNS") or 80)


def is_terminal(name: str) -> bool:
    stream = getattr(sys, name)
    return stream is not None and stream.isatty()


def write_init(folder: Path, **settings: str) -> Path:
    """The program that the guest's kernel starts: guest.py, told by its environment what kind of guest it is in."""
    init = folder / "init"
    exports = "".join(f"export RIG_{name.upper()}={shlex.quote(value)}\n" for name, value in settings.items())
    path = f"export PYTHONPATH={shlex.quote(str(PROJECT))}\n"
    init.write_text(f"#!/bin/sh\n{exports}{path}exec {shlex.quote(sys.executable)} -m rig.lab.guest\n")
    init.chmod(0o755)
    return init


class Guest:
    """One running guest; leaving the context ends it.

    When this process dies, the guest reads the end of its line, ends its command and powers off. A death
    signal would be quicker, but kills only the kernel's main process and leaves its helpers behind.

    ``reader`` and ``writer`` are the line's descriptors; ``log`` has what its console said. ``boot_seconds``:
    how long it may take to be ready.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], reader: int, writer: int, log: Path, boot_seconds: float
    ) -> None:
        self.process = process
        self.reader = reader
        self.writer = writer
        self.log = log
        self.boot_seconds = boot_seconds
        self.decoder = Decoder()
        self.booted = False

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: it reads an end of file, ends its command and powers off; killed when it does not in ten seconds."""
        os.close(self.writer)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.reader)

    def run(self, command: Sequence[str], environment: Mapping[str, str], writable: Sequence[Path]) -> int:
        """See UmlLab.run."""
        rows, columns = terminal_size()
        request = Request(
            command=list(command),
            environment=dict(environment),
            directory=str(Path.cwd()),
            writable=writable_folders(writable),
            terminals=[name for name in ("stdin", "stdout", "stderr") if is_terminal(name)],
            rows=rows,
            columns=columns,
        )
        self._send_request(request.encode())
        with forwarded_signals(self), raw_terminal():
            return self._relay()

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send one frame in; a guest that has already gone is found by the reader."""
        data = encode(kind, payload)
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self.writer, data) :]

    def await_boot(self) -> None:
        """Wait until it asks for its command. Raises CannotRunError after ``boot_seconds``."""
        self._await_ready()
        self.booted = True

    def _send_request(self, data: bytes) -> None:
        for start in range(0, len(data), PART):
            self.send(Kind.REQUEST, data[start : start + PART])
            self._await_ready()
        self.send(Kind.REQUEST_END)

    def _await_ready(self) -> None:
        with waiting():
            ready, _, _ = select.select([self.reader], [], [], self.boot_seconds)
        frames = self.decoder.feed(os.read(self.reader, CHUNK)) if ready else []
        if not frames or frames[0].kind is not Kind.READY:
            raise self._failure(f"the lab's guest did not start within {self.boot_seconds:.0f} s")

    def _failure(self, what: str) -> CannotRunError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        said = "\n  ".join(lines) or "nothing"
        return CannotRunError(f"{what}; its console said:\n  {said}", "rig lab run -- true   shows it alone")

    def _relay(self) -> int:
        input_wanted = False
        while True:
            watched = [self.reader, 0] if input_wanted else [self.reader]
            ready, _, _ = select.select(watched, [], [])
            if 0 in ready:
                input_wanted = False
                data = os.read(0, PART)
                self.send(*((Kind.STDIN, data) if data else (Kind.STDIN_END,)))
            if self.reader not in ready:
                continue
            data = os.read(self.reader, CHUNK)
            if not data:
                raise self._failure("the lab's guest ended before its command did")
            for frame in self.decoder.feed(data):
                if frame.kind is Kind.EXIT:
                    return int(frame.payload)
                if frame.kind is Kind.READY:
                    input_wanted = sys.stdin is not None
                else:
                    self._print(frame)

    @staticmethod
    def _print(frame: Frame) -> None:
        descriptor = 1 if frame.kind is Kind.STDOUT else 2
        data = frame.payload
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(descriptor, data) :]


def take_signals() -> None:
    """In the child: a shell's background jobs ignore SIGINT, and a guest that inherits that never powers off."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def forwarded_signals(guest: Guest) -> Iterator[None]:
    """Pass on to the command inside what would interrupt it here, and the terminal's new size."""

    def forward(number: int, _: FrameType | None) -> None:
        guest.send(Kind.SIGNAL, str(number).encode())

    def resize(_number: int, _: FrameType | None) -> None:
        guest.send(Kind.WINDOW, struct.pack("!HH", *terminal_size()))

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, resize)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_foreground() -> bool:
    """Whether this process may change its terminal: one in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # not the terminal that controls this session
        return False


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    """Let the guest's terminal do echo, editing and Ctrl-C, where this one is in the foreground."""
    if not is_terminal("stdin") or not is_terminal("stdout") or not in_foreground():
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
