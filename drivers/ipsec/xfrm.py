"""What the kernel has of IPsec in a namespace: security associations and policies (XFRM)."""

from __future__ import annotations

import subprocess

from rig.drivers.net.namespace import NetworkNamespace

BOUND_SECONDS = 20.0


def _ip(namespace: NetworkNamespace, *words: str) -> str:
    with namespace.entered():
        done = subprocess.run(
            ["ip", "-oneline", "xfrm", *words], capture_output=True, text=True, timeout=BOUND_SECONDS, check=True
        )
    return done.stdout


def flush(namespace: NetworkNamespace) -> None:
    """Take away all of it."""
    for what in ("state", "policy"):
        _ip(namespace, what, "flush")


def left(namespace: NetworkNamespace) -> list[str]:
    """All of it, a line each, but what a socket of IKE's has for itself."""
    lines = [line for what in ("state", "policy") for line in _ip(namespace, what, "list").splitlines()]
    return [line for line in lines if line.strip() and "socket" not in line]
