"""One run of the rig on a bench that stands elsewhere, by ssh: its words as they come, its report in a folder here."""

from __future__ import annotations

import functools
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rig_farm import frames
from rig_farm.asking import command, somebody
from rig_farm.errors import BenchLostError
from rig_farm.outcome import Outcome, collect

NOT_REACHED = 255
"""ssh's own exit status (ssh(1))."""


@dataclass(frozen=True)
class Bench:
    """Where a run happens: ``prefix`` is the command that reaches the machine, whose shell takes what follows;
    ``runner`` and ``lease`` as NetworkRigBench has them."""

    prefix: tuple[str, ...]
    runner: str
    lease: str

    def command(self, verb: str, words: Sequence[str]) -> list[str]:
        return [*self.prefix, shlex.join(command(self.runner, self.lease, somebody(), verb, words))]

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
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                self.command(verb, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            ) as process,
        ):
            assert process.stdout is not None
            if stopped is not None:
                threading.Thread(target=_let_go_when, args=(stopped, process), daemon=True).start()
            lines = iter(functools.partial(process.stdout.readline, frames.LONGEST), b"")
            try:
                outcome = collect(lines, folder, line, call)
            except BaseException:
                _let_go(process)
                raise
            status = process.wait()
            errors.seek(0)
            words_of_ssh = errors.read().decode(errors="replace").strip()
        if outcome is None:
            way = "its machine is not reached" if status == NOT_REACHED else f"rig-on-bench ended with {status}"
            raise BenchLostError(f"{way}: {words_of_ssh or 'no word of why'}")
        return outcome


def _let_go_when(stopped: threading.Event, process: subprocess.Popen[bytes]) -> None:
    stopped.wait()
    _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """The rig there is interrupted, and takes everything down."""
    stdin: IO[bytes] | None = process.stdin
    if stdin is not None and not stdin.closed:
        stdin.close()
