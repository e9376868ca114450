"""Programs that end with who has started them, however he ends."""

from __future__ import annotations


def with_parent(signal: str) -> list[str]:
    """What goes before a command: it gets the signal when its parent is gone (PR_SET_PDEATHSIG, prctl(2)).

    By util-linux's setpriv, and not between fork and exec: in a process that uses gRPC a fork runs gRPC's handlers in
    the child, which abort it when another thread is in a call.
    """
    return ["setpriv", "--pdeathsig", signal, "--"]
