"""A command inside a guest, as it is seen from outside: its streams, signals and terminal, over one line.

The line is two descriptors to the guest's first process (guest.py), or to the session that it has made for the command
(session.py), whichever engine the guest runs on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from rig.drivers.base.errors import GuestError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.syscalls import write_all
from rig.drivers.serial.raw_terminal import raw_terminal
from rig.lab.channel import PART, Decoder, Frame, Kind, Request, encode

CHUNK = 32768
ASKED_SECONDS = 60.0
"""How long a guest that is up may take over a part of a request: it may be busy with somebody else's command."""
HANGING_SECONDS = 5.0
"""How long a guest that is interrupted may say nothing before a second Ctrl-C leaves it: ending a session takes three
seconds where the other side does not answer."""
INTERRUPT = b"\x03"
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class LineLostError(Exception):
    """The guest ended, or said something that is no frame. Whoever has its console can say why."""


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


def request_for(command: Sequence[str], environment: Mapping[str, str], writable: Sequence[Path]) -> Request:
    """What is asked of a guest, with this process's terminal and folder."""
    rows, columns = terminal_size()
    return Request(
        command=list(command),
        environment=dict(environment),
        directory=str(Path.cwd()),
        writable=writable_folders(writable),
        terminals=[name for name in ("stdin", "stdout", "stderr") if is_terminal(name)],
        rows=rows,
        columns=columns,
    )


def not_to_be_seen(command: Sequence[str], writable: Sequence[str]) -> list[str]:
    """The files of a command line that a guest does not see: those below /tmp that it is not given."""
    temporary = [Path(word) for word in command if word.startswith("/tmp/")]  # noqa: S108 - what a guest mounts over
    return [str(one) for one in temporary if one.exists() and not any(one.is_relative_to(each) for each in writable)]


class Line:
    """``reader`` and ``writer``: descriptors, closed with it."""

    def __init__(self, reader: int, writer: int) -> None:
        self.reader = reader
        self.writer = writer
        self.decoder = Decoder()
        self._interrupted = 0.0

    def close(self) -> None:
        """For the guest an end of file, where nobody else has the line too."""
        if self.writer >= 0:
            os.close(self.writer)
            os.close(self.reader)
            self.reader = self.writer = -1

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send one frame in; a guest that has already gone is found by the reader."""
        with contextlib.suppress(BrokenPipeError):
            write_all(self.writer, encode(kind, payload))

    def await_ready(self, seconds: float, process: int | None = None) -> bool:
        """Wait for READY, with which the guest asks for more; whether it came. ``process``: a pidfd of the guest's, by
        whose end it has ended. Raises LineLostError when it did."""
        with waiting():
            ready, _, _ = select.select([self.reader, *_known(process)], [], [], seconds)
        if not ready:
            return False
        if self.reader not in ready:
            raise LineLostError
        frames = self.decoder.feed(os.read(self.reader, CHUNK))
        if not frames or frames[0].kind is not Kind.READY:
            raise LineLostError
        return True

    def run(self, request: Request, process: int | None = None) -> int:
        """Run a command inside, with this process's streams, signals and terminal; its exit status. ``process``: as
        :meth:`await_ready` has it.

        Raises LineLostError when the guest ends before the command has, GuestError when it does not listen.
        """
        data = request.encode()
        for start in range(0, len(data), PART):
            self.send(Kind.REQUEST, data[start : start + PART])
            if not self.await_ready(ASKED_SECONDS, process):
                raise GuestError(f"the lab's guest took no command within {ASKED_SECONDS:.0f} s", "rig lab down")
        self.send(Kind.REQUEST_END)
        with self._forwarded_signals(), guests_terminal():
            return self._relay(process)

    def _relay(self, process: int | None) -> int:
        input_wanted = False
        while True:
            watched = [self.reader, *_known(process), *([0] if input_wanted else [])]
            ready, _, _ = select.select(watched, [], [])
            if 0 in ready:
                input_wanted = False
                data = os.read(0, PART)
                if INTERRUPT in data and is_terminal("stdin"):  # the guest's terminal is to make a signal of it
                    self._interrupt()
                self.send(*((Kind.STDIN, data) if data else (Kind.STDIN_END,)))
            if self.reader not in ready:
                if process in ready:
                    raise LineLostError
                continue
            data = os.read(self.reader, CHUNK)
            if not data:
                raise LineLostError
            self._interrupted = 0.0
            for frame in self.decoder.feed(data):
                if frame.kind is Kind.EXIT:
                    return int(frame.payload)
                if frame.kind is Kind.READY:
                    input_wanted = sys.stdin is not None
                else:
                    _print(frame)

    def _interrupt(self) -> None:
        """Somebody wants the command to end. Raises GuestError the second time, where the guest has said nothing since
        the first: it hangs."""
        now = time.monotonic()
        if self._interrupted and now - self._interrupted > HANGING_SECONDS:
            raise GuestError(
                f"the lab's guest has said nothing for {now - self._interrupted:.0f} s since it was interrupted",
                "it was left; one that stays is ended with: rig lab down",
            )
        self._interrupted = self._interrupted or now

    @contextlib.contextmanager
    def _forwarded_signals(self) -> Iterator[None]:
        """Pass on to the command inside what would interrupt it here, and the terminal's new size."""

        def forward(number: int, _: FrameType | None) -> None:
            self._interrupt()
            self.send(Kind.SIGNAL, str(number).encode())

        def resize(_number: int, _: FrameType | None) -> None:
            self.send(Kind.WINDOW, struct.pack("!HH", *terminal_size()))

        before = {number: signal.signal(number, forward) for number in FORWARDED}
        before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, resize)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _known(process: int | None) -> list[int]:
    return [] if process is None else [process]


def _print(frame: Frame) -> None:
    with contextlib.suppress(BrokenPipeError):
        write_all(1 if frame.kind is Kind.STDOUT else 2, frame.payload)


def in_foreground() -> bool:
    """Whether this process may change its terminal: one in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # not the terminal that controls this session
        return False


def guests_terminal() -> contextlib.AbstractContextManager[None]:
    """Let the guest's terminal do echo, editing and Ctrl-C, where this one is in the foreground."""
    if is_terminal("stdin") and is_terminal("stdout") and in_foreground():
        return raw_terminal()
    return contextlib.nullcontext()
