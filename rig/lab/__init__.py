"""Where the bench runs: a kernel with PPP, this machine's own or one in a guest. See engines.py for which.

Whatever runs in a guest is the same command line once more; RIG_LAB names the engine there.
"""

from __future__ import annotations

import os

INSIDE = "RIG_LAB"


def current() -> str:
    """The engine that this process runs in: ``native`` unless whoever started it in a guest said otherwise."""
    return os.environ.get(INSIDE, "native")
