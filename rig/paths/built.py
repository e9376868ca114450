"""A way home with what is at its other end, where that is the rig's own: made, and not opened yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from rig.config.bench import Bench
from rig.drivers.modem.number import Number
from rig.drivers.net.link_end import LinkEnd
from rig.parts.fence_rules import SavedFence
from rig.paths.path import Path
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class Tap:
    """Somebody on the way of a VPN, close to one end of it. ``seen``: what arrives there; ``sends``: by which they send
    to that end; ``inside``: what that end has unpacked."""

    end: str
    seen: LinkEnd
    sends: LinkEnd
    inside: LinkEnd


@dataclass(frozen=True)
class Places:
    """Where one can stand around a way that is up. ``own``: its console's end; ``beyond``: behind the gateway;
    ``towards``: the gateway's end of the console's link; ``local``: a managed system's, on the console's second network
    card, at the address ``managed``. ``seen_as``: the address that the console has for those beyond, where its own is
    masked; ``logs``: what a program on the way has written; ``wire``: where a VPN is
    seen from outside; ``taps``: and heard, and spoken into; ``hop``: the partition's
    end of the console's cable to it. None where nobody can stand, or nothing is so."""

    own: LinkEnd
    beyond: LinkEnd | None = None
    towards: LinkEnd | None = None
    local: LinkEnd | None = None
    managed: IPv4Address | None = None
    seen_as: IPv4Address | None = None
    logs: Callable[[], dict[str, str]] | None = None
    wire: LinkEnd | None = None
    taps: tuple[Tap, ...] = ()
    hop: LinkEnd | None = None


class Built(Protocol):
    """``ca``: a PEM file of whom the servers' certificates are signed by, "" where the bench names none; ``watch``:
    what is asked what has arrived behind the way; ``pool``: whom the gateway's addresses are of."""

    @property
    def bench(self) -> Bench: ...

    @property
    def path(self) -> Path: ...

    @property
    def ca(self) -> str: ...

    @property
    def watch(self) -> Control | None: ...

    @property
    def pool(self) -> IPv4Network | None: ...

    def places(self, up: Up) -> Places:
        """Where one can stand around this way, now that it is up."""

    def fence(self, up: Up) -> SavedFence | None:
        """The rules around a console that is up; None where they are not the rig's own."""


Making = Callable[[Bench, Sequence[Number], Owner, Progress, Capture | None], Built]
"""Makes the way that a bench has: everything started, nothing opened. Told the numbers, for one that dials."""
