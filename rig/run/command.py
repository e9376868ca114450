"""Somebody's own command, with this process's streams: run to its end, ended with us."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from rig.drivers.base.interruptions import blocked_for_child, in_child, waiting

END_SECONDS = 10.0
"""How long a command may take to end after SIGTERM; after that it is killed."""


def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command; its exit status, 128 + N when signal N ended it. An interruption ends it first.

    Raises OSError when it cannot be started.
    """
    with blocked_for_child():
        process = subprocess.Popen(list(command), env=environment, preexec_fn=in_child)
    try:
        with waiting():
            status = process.wait()
    except BaseException:
        end(process)
        raise
    return 128 - status if status < 0 else status


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL when that has not ended it in END_SECONDS."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
