"""How a run on a bench is asked for: the command that `rig-on-bench` takes, there."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Sequence


def somebody() -> str:
    """Who asks, from which machine: for the log there."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def command(runner: str, lease: str, by: str, verb: str, words: Sequence[str]) -> list[str]:
    """``runner``: `rig-on-bench`, by its path there; ``lease``: the file there that says who has the bench."""
    return [runner, "--lease", lease, f"--by={by}", verb, *words]
