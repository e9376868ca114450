"""Who has a bench, on the machine where it stands: a file that the exporter keeps locked as long as it is acquired.

The lock is the lease: it is gone with the exporter, however that ends, and whoever runs on the bench learns of it by
having the lock himself (flock(2)).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig_farm.errors import LeaseError

LOG = "leases.jsonl"
AFTER_RUN_SECONDS = 120.0
"""A run before may still take everything down."""


def state_folder() -> Path:
    """Where leases and their log are: $RIG_FARM_STATE, or the user's own folder (XDG base directories)."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("RIG_FARM_STATE") or Path(home) / "rig-farm")


@dataclass(frozen=True)
class Lease:
    """``place`` that has the bench; ``bench``: its name or file for ``rig``, which is the program's path; ``since``:
    seconds since 1970; ``far_end``: the file in which its far end's words are, and its process, where it has one while
    it is leased."""

    place: str
    bench: str
    rig: str
    since: float
    far_end: str = ""
    far_end_pid: int = 0


class Held:
    """A lease, from being acquired to :meth:`end`. The exporter's side. Each has a file of its own: who waits for the
    end of the last one does not find himself in the next.

    Raises LeaseError where another exporter has leased the same bench.
    """

    def __init__(self, path: Path, lease: Lease) -> None:
        if _held(path):
            raise LeaseError(f"{path}: another exporter of this machine has leased {lease.bench}")
        self.path, self.lease = path, lease
        written = path.with_suffix(".new")
        written.unlink(missing_ok=True)
        self._file = written.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.write(json.dumps(asdict(lease)))
        self._file.flush()
        written.replace(path)
        log(path.parent, event="acquired", place=lease.place, bench=lease.bench)

    def end(self) -> None:
        """Whoever runs on the bench is interrupted."""
        self.path.unlink(missing_ok=True)
        self._file.close()
        log(self.path.parent, event="released", place=self.lease.place, bench=self.lease.bench)


@contextlib.contextmanager
def used(path: Path, ended: Callable[[], None], waiting: Callable[[], None]) -> Iterator[Lease]:
    """The lease under which a bench is used, for the block; ``ended`` is called, in a thread, when it ends before that;
    ``waiting`` where an earlier run on this bench is to end first.

    Raises LeaseError where nobody has it, or the earlier run does not end.
    """
    free = _not_acquired(path)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_one_at_a_time(path, waiting))
        try:
            file = stack.enter_context(path.open("rb"))
            lease = Lease(**json.loads(file.read()))
        except FileNotFoundError:
            raise LeaseError(free) from None
        except (OSError, ValueError, TypeError) as error:
            raise LeaseError(f"{path}: no lease is to be read there: {error}") from None
        if _lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB):
            raise LeaseError(free)  # its exporter was killed
        over = threading.Event()

        def wait() -> None:
            with contextlib.suppress(OSError):  # the file was closed: the block is left
                fcntl.flock(file, fcntl.LOCK_SH)
            if not over.is_set():
                ended()

        threading.Thread(target=wait, daemon=True, name="lease").start()
        try:
            yield lease
        finally:
            over.set()


def _not_acquired(path: Path) -> str:
    return f"{path.stem} is not acquired: its place is to be had first (labgrid-client -p PLACE acquire)"


def _held(path: Path) -> bool:
    """Whether an exporter that is alive has a lease there."""
    try:
        with path.open("rb") as file:
            return not _lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False


def _lock(file: Any, kind: int) -> bool:
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _one_at_a_time(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """The file stays open in the rig that is run: a bench is free when that has ended, whoever was killed before."""
    try:
        file = path.with_suffix(".run").open("a")
    except FileNotFoundError:  # there is no such folder: no exporter has ever run with it
        raise LeaseError(_not_acquired(path)) from None
    except OSError as error:
        raise LeaseError(f"{path}: no lease can be used there: {error.strerror}") from None
    with file:
        os.set_inheritable(file.fileno(), True)
        end = None
        while not _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if end is None:
                waiting()
                end = time.monotonic() + AFTER_RUN_SECONDS
            if time.monotonic() > end:
                raise LeaseError(f"{path.stem}: another run on this bench has not ended within {AFTER_RUN_SECONDS:g} s")
            time.sleep(0.1)  # flock(2) has no time limit of its own
        yield


def log(folder: Path, **what: Any) -> None:
    """Who had what: one JSON object a line, in the folder's ``leases.jsonl``."""
    line = json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **what}) + "\n"
    with (folder / LOG).open("a") as file:
        file.write(line)  # one write: lines of several do not mix
