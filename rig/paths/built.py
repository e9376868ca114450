"""A way home with what is at its other end, where that is the rig's own: made, and not opened yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from drivers.net.link_end import LinkEnd
from rig.config.bench import Bench
from rig.paths.path import Path
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class Places:
    """Where one can stand around a way that is up. ``own``: its console's end; ``beyond``: behind the gateway;
    ``towards``: the gateway's end of the console's link; ``local``: a managed system's, on the console's second network
    card, at the address ``managed``. ``seen_as``: the address that the console has for those beyond, where its own is
    masked; ``logs``: what a program on the way has written. None where nobody can stand, or nothing is so."""

    own: LinkEnd
    beyond: LinkEnd | None = None
    towards: LinkEnd | None = None
    local: LinkEnd | None = None
    managed: IPv4Address | None = None
    seen_as: IPv4Address | None = None
    logs: Callable[[], dict[str, str]] | None = None


@dataclass(frozen=True)
class Built:
    """``ca``: a PEM file of whom the servers' certificates are signed by, "" where the bench names none; ``watch``:
    what is asked what has arrived behind the way; ``pool``: whom the gateway's addresses are of. Each kind of way has
    its own, which says where one can stand and what the firewall of the rig's own has dropped."""

    bench: Bench
    path: Path
    ca: str
    watch: Control | None = None
    pool: IPv4Network | None = None

    def places(self, up: Up) -> Places:
        """Around this way, now that it is up."""
        return Places(LinkEnd(up.namespace, up.interface))

    def drops(self, up: Up) -> dict[str, int]:
        """How many packets have been dropped on the way, by the reason; nothing where it is not the rig's own."""
        return {}


Making = Callable[[Bench, Sequence[str], Owner, Progress, Capture | None], Built]
"""Makes the way that a bench has: everything started, nothing opened. Told the numbers, for one that dials."""
