"""One run of the rig on a bench that stands elsewhere: its words as they come, and its report in a folder here."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rig_labgrid import frames
from rig_labgrid.errors import BenchLostError, CallFailedError, LeaseError

LARGEST = 2**30
"""Bytes of a report: a capture of hours has less."""
NO_LEASE = 3
NOT_REACHED = 255
"""ssh's own exit status (ssh(1))."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``exit``: the rig's status, as if it had run here; ``verdict``: its verdict.json, empty where it
    came to none; ``folder``: here, with its report and capture; ``said``: its lines; ``why`` it was ended early."""

    exit: int
    verdict: dict[str, Any]
    folder: Path
    said: tuple[str, ...]
    why: str = ""

    @property
    def message(self) -> str:
        """The rig's sentence."""
        return self.why or self.verdict.get("message") or (self.said[-1] if self.said else "it said nothing")

    def check(self) -> Outcome:
        """Itself. Raises CallFailedError where the rig did not end with every check held."""
        if self.exit or self.why:
            raise CallFailedError(f"{self.verdict.get('outcome', 'no verdict')} ({self.exit}): {self.message}")
        return self


@dataclass(frozen=True)
class Bench:
    """Where a run happens: ``prefix`` is the command that reaches the machine, whose shell takes what follows;
    ``runner`` and ``lease`` as NetworkRigBench has them."""

    prefix: tuple[str, ...]
    runner: str
    lease: str

    def command(self, verb: str, words: Sequence[str]) -> list[str]:
        here = f"{getpass.getuser()}@{socket.gethostname()}"
        return [*self.prefix, shlex.join([self.runner, "--lease", self.lease, "--by", here, verb, *words])]

    def run(
        self,
        verb: str,
        words: Sequence[str] = (),
        *,
        folder: Path | None = None,
        line: Callable[[str], None] = lambda line: None,
        call: Callable[[dict[str, Any]], None] = lambda call: None,
        stopped: threading.Event | None = None,
    ) -> Outcome:
        """Run it to its end; ``line`` is told of each line and ``call`` of each call of a soak as they come. When
        ``stopped`` is set, or this is interrupted, the rig there is too, and takes everything down.

        Raises LeaseError where the bench is not acquired, BenchLostError where it went away, FrameError.
        """
        folder = folder or Path(tempfile.mkdtemp(prefix="rig-bench-"))
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                self.command(verb, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            ) as process,
        ):
            try:
                end, said = self._take(process, folder, line, call, stopped)
            except BaseException:
                _let_go(process)
                raise
            status = process.wait()
            errors.seek(0)
            words_of_ssh = errors.read().decode(errors="replace").strip()
        if end is None:
            way = "its machine is not reached" if status == NOT_REACHED else f"rig-on-bench ended with {status}"
            raise BenchLostError(f"{way}: {words_of_ssh or 'no word of why'}")
        if end.status == NO_LEASE and end.why:
            raise LeaseError(end.why)
        return Outcome(end.status, _verdict(folder), folder, tuple(said), end.why)

    @staticmethod
    def _take(
        process: subprocess.Popen[bytes],
        folder: Path,
        line: Callable[[str], None],
        call: Callable[[dict[str, Any]], None],
        stopped: threading.Event | None,
    ) -> tuple[frames.End | None, list[str]]:
        assert process.stdout is not None
        said: list[str] = []
        room = LARGEST
        if stopped is not None:
            threading.Thread(target=_let_go_when, args=(stopped, process), daemon=True).start()
        while came := process.stdout.readline(frames.LONGEST):
            match frames.decode(came):
                case frames.Text(text):
                    said.append(text)
                    line(text)
                case frames.Call(record):
                    call(record)
                case frames.Piece(name, data):
                    room -= len(data)
                    if room < 0:
                        raise BenchLostError(f"the report has more than {LARGEST} bytes")
                    _append(folder / name, data)
                case frames.End() as end:
                    return end, said
        return None, said


def _let_go_when(stopped: threading.Event, process: subprocess.Popen[bytes]) -> None:
    stopped.wait()
    _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """The rig there is interrupted, and takes everything down."""
    stdin: IO[bytes] | None = process.stdin
    if stdin is not None and not stdin.closed:
        stdin.close()


def _append(path: Path, data: bytes) -> None:
    """Never through a link that is there already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "ab") as file:
        file.write(data)


def _verdict(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "verdict.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
