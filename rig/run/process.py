"""A far end as a process of its own: started by fork, ready when it says so, ended by its handle.

Fork, and not a new interpreter: in User-Mode Linux the imports of a new one cost a second and more.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rig.drivers.base import syscalls
from rig.drivers.base.errors import RigError
from rig.drivers.base.interruptions import blocked_for_child, in_child, waiting
from rig.drivers.base.program import handle_of, parents

READY_SECONDS = 90.0
"""A gateway of 64 lines starts as many pppds, each a third of a second in User-Mode Linux."""
STOP_SECONDS = 12.0

Ready = Callable[[], None]


class PartnerError(RigError):
    """A far end of the rig's own did not start, or ended by itself."""

    outcome = "FAR END FAILED"


def _child(name: str, main: Callable[..., None], arguments: tuple[Any, ...], log: Path, ready: Connection) -> None:
    os.setsid()  # Ctrl-C is for the near end, which ends this process in its turn
    in_child()
    syscalls.die_with_parent(signal.SIGTERM)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    threading.excepthook = threading.__excepthook__  # a test runner's own would keep what a thread here died of
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"rig-{name}"[:15])
    try:
        main(*arguments, ready=lambda: ready.send(None))
    except BaseException as error:
        traceback.print_exc()
        with contextlib.suppress(OSError):
            ready.send(error if isinstance(error, RigError) else PartnerError(f"{type(error).__name__}: {error}"))
        raise


class PartnerProcess:
    """Runs ``main(*arguments, ready=…)``; ``main`` calls ready() once it can be reached."""

    def __init__(self, name: str, main: Callable[..., None], arguments: tuple[Any, ...], log: Path) -> None:
        self.name = name
        self.log = log
        context = multiprocessing.get_context("fork")
        self._is_ready = self._stopped = False
        self._ready, other = context.Pipe(duplex=False)
        self.process = context.Process(target=_child, args=(name, main, arguments, log, other), name=f"rig-{name}")
        with blocked_for_child():
            self.process.start()
        other.close()
        assert self.process.pid is not None
        self.pid = self.process.pid

    def wait_ready(self) -> None:
        """Raises what kept the far end from starting, PartnerError when it ended or was not ready in READY_SECONDS."""
        if self._is_ready:
            return
        failure: RigError | None = PartnerError(f"not ready in {READY_SECONDS:g} s")
        try:
            with waiting():
                said = self._ready.poll(READY_SECONDS)
            if said:
                failure = self._ready.recv()
        except EOFError:
            failure = PartnerError(f"it ended at once; see {self.log}")
        if failure is not None:
            kind = type(failure)
            tail = "\n  ".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise kind(f"{self.name} did not start: {failure}\n  {tail}", failure.advice) from failure

        self._is_ready = True

    def kill(self) -> None:
        """SIGKILL, as to see what becomes of what it has begun; until its own programs, which go with it, are gone too.
        Raises PartnerError when they are not within STOP_SECONDS."""
        with contextlib.ExitStack() as handles:
            left = {handle_of(pid): pid for pid, parent in parents().items() if parent == self.pid}
            for handle in left:
                handles.callback(os.close, handle)
            self.process.kill()
            self.process.join()
            end = time.monotonic() + STOP_SECONDS
            while left:
                with waiting():
                    ended = select.select(left, [], [], max(0.0, end - time.monotonic()))[0]
                if not ended:
                    named = ", ".join(Path(f"/proc/{pid}/comm").read_text().strip() for pid in left.values())
                    raise PartnerError(f"{named} of {self.name} outlived it by {STOP_SECONDS:g} s")
                for handle in ended:
                    del left[handle]

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that has not ended it in STOP_SECONDS. Nothing of it is held any more then: its
        owner may go on for long."""
        if self._stopped:
            return
        self._stopped = True
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(STOP_SECONDS)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.process.close()
        self._ready.close()
