"""A way home with what is at its other end, where that is the rig's own: made, and not opened yet."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from rig.config.bench import Bench
from rig.paths.path import Path
from rig.run.control import Control


@dataclass(frozen=True)
class Built:
    """``ca``: a PEM file of whom the servers' certificates are signed by, "" where the bench names none; ``watch``:
    what is asked what has arrived behind the way; ``pool``: whom the gateway's addresses are of."""

    bench: Bench
    path: Path
    ca: str
    watch: Control | None = None
    pool: IPv4Network | None = None
