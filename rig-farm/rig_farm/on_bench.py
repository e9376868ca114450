"""`rig-on-bench`: on the machine where a bench stands, one run of the rig on it.

For a client that came by ssh, or for an exporter whose client asks it to. The bench and the rig are the lease's: a
client says what is to be done there, not where. Who has left (his end of standard input is closed) or has the bench no
longer is interrupted as by Ctrl-C, and everything is taken down.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rig_farm import frames
from rig_farm.arming import arm
from rig_farm.ending import with_parent
from rig_farm.errors import LeaseError
from rig_farm.lease import Lease, log, used

VERBS = {
    "dial": ("dial",),
    "connect": ("connect",),
    "answer": ("answer",),
    "fence": ("fence", "check"),
    "send": ("send",),
    "soak": ("soak",),
}
"""What may be asked for, and the rig's command for it."""
ARM = "arm"
"""Waits for the far end."""
NOT_BY_CLIENT = ("--bench", "--arms", "--report", "--report-secrets", "--place", "--lab", "--json", "--")
"""The lease's and the runner's business; the bench's secrets stay here, and no command of a client's is run."""
CALLS = "calls.jsonl"
WAITING = "waiting for another run on this bench, which takes everything down"
UNUSABLE, KILLED = 2, 128
TAKE_DOWN_SECONDS = 90.0


def main(argv: Sequence[str] | None = None) -> int:
    """The rig's own exit status; 3 where the bench is not acquired."""
    parser = argparse.ArgumentParser(prog="rig-on-bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lease", type=Path, required=True, metavar="FILE")
    parser.add_argument("--by", default="somebody", metavar="USER@HOST", help="for the log")
    parser.add_argument("verb", choices=sorted([*VERBS, ARM]))
    parser.add_argument("words", nargs=argparse.REMAINDER, help="options of rig's for it")
    asked = parser.parse_args(argv)
    told = _Told()
    for word in asked.words:
        if word.partition("=")[0] in NOT_BY_CLIENT:
            return _end(told, UNUSABLE, f"{word} is not for a client of the farm to say")
    ending, ended = os.pipe()
    waiting = functools.partial(told, frames.Text(WAITING))
    try:
        with used(asked.lease, functools.partial(os.close, ended), waiting) as lease, _folder() as folder:
            began = time.monotonic()
            if asked.verb == ARM:
                return _end(told, *arm(lease, lambda line: told(frames.Text(line))))
            status, why = _run(lease, asked.verb, asked.words, folder, told, ending)
            for path in sorted(folder.iterdir()):
                if path.is_file():
                    for piece in frames.pieces(path.name, path.read_bytes()):
                        told(piece)
            took = round(time.monotonic() - began, 1)
            with contextlib.suppress(OSError):  # the log is the exporter's; who may not write to it may use the bench
                log(asked.lease.parent, event="run", place=lease.place, bench=lease.bench, by=asked.by,
                    command=asked.verb, exit=status, seconds=took, why=why)  # fmt: skip
            return _end(told, status, why)
    except LeaseError as error:
        return _end(told, frames.NO_LEASE, str(error))


class _Told:
    """Frames to the client; once nobody listens, nothing."""

    def __init__(self) -> None:
        self.gone = False

    def __call__(self, frame: frames.Frame) -> None:
        if not self.gone:
            try:
                sys.stdout.buffer.write(frames.encode(frame))
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                self.gone = True
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end


def _end(told: Callable[[frames.Frame], None], status: int, why: str) -> int:
    told(frames.End(status, why))
    return status


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """For the report. Not below /tmp, which a guest has one of its own of."""
    above = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rig-farm"
    above.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=above))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _words(lease: Lease, verb: str, words: Sequence[str], folder: Path) -> list[str]:
    where = [str(folder)] if verb == "soak" else ["--report", str(folder)]
    return [lease.rig, *VERBS[verb], *where, "--bench", lease.bench, *words]


def _run(lease: Lease, verb: str, words: Sequence[str], folder: Path, told: _Told, lease_ended: int) -> tuple[int, str]:
    """The rig, to its end: its exit status, and why it was ended, where it was."""
    try:
        rig = subprocess.Popen(
            [*with_parent("INT"), *_words(lease, verb, words, folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,  # the lock on the bench goes with it
            start_new_session=True,
        )
    except OSError as error:
        return UNUSABLE, f"{lease.rig}: {error.strerror}"
    with rig:
        return _Running(rig, folder, told).to_its_end(sys.stdin.fileno(), lease_ended)


class _Running:
    """A rig that runs, and what may end it before it ends by itself."""

    def __init__(self, rig: subprocess.Popen[bytes], folder: Path, told: _Told) -> None:
        assert rig.stdout is not None
        self._rig, self._calls, self._told = rig, _Calls(folder / CALLS, told), told
        self._only_here = f"report: {folder}".encode()
        self._output, self._rest = rig.stdout.fileno(), b""
        self._why = ""
        self._deadline: float | None = None

    def to_its_end(self, client: int, lease_ended: int) -> tuple[int, str]:
        """Its exit status, and why it was ended. The descriptors are at their end when the client, or the lease, is."""
        with selectors.DefaultSelector() as selector, _pidfd(self._rig.pid) as over:
            selector.register(over, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ, self._read)
            for source, reason in ((client, "its client has gone"), (lease_ended, "the lease has ended")):
                selector.register(source, selectors.EVENT_READ, functools.partial(self._at_end, source, reason))
            while over not in (ready := {key.fd: key.data for key, _ in selector.select(self._left())}):
                for source, take in ready.items():
                    if take():
                        selector.unregister(source)
                if not ready:
                    self._kill()
        os.set_blocking(self._output, False)
        with contextlib.suppress(BlockingIOError):
            while not self._read():
                pass
        if self._rest:
            self._line(self._rest)
        status = self._rig.wait()
        return (status if status >= 0 else KILLED - status), self._why

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _read(self) -> bool:
        """What it has written; whether that is all."""
        data = os.read(self._output, 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        return not data

    def _line(self, line: bytes) -> None:
        self._calls.look()
        if not line.startswith(self._only_here):  # where the report is to be found, its client says
            self._told(frames.Text(line.decode(errors="replace")))

    def _at_end(self, source: int, reason: str) -> bool:
        """Whether a client, or a lease, is at its end: the rig is to end, too."""
        if os.read(source, 4096):
            return False
        if not self._why:
            self._why, self._deadline = reason, time.monotonic() + TAKE_DOWN_SECONDS
            self._rig.send_signal(signal.SIGINT)
        return True

    def _kill(self) -> None:
        os.killpg(self._rig.pid, signal.SIGKILL)
        self._why += f"; killed, as it had not taken everything down within {TAKE_DOWN_SECONDS:g} s"
        self._deadline = None


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Calls:
    """The calls of a soak, each told when the rig has written it down: before it says a line about it."""

    def __init__(self, path: Path, told: Callable[[frames.Frame], None]) -> None:
        self._path, self._told, self._at = path, told, 0

    def look(self) -> None:
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                if "number" in (found := json.loads(line)):  # the first line says which soak it is
                    self._told(frames.Call(found))


if __name__ == "__main__":
    sys.exit(main())
