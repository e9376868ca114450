"""A probe: one packet, where it is sent from, and what should become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from rig.drivers.base.errors import RigError


class ProbeError(RigError):
    """Probes could not be sent, or what should arrive behind them did not: nothing is known then."""

    outcome = "PROBES INCONCLUSIVE"


class Side(Enum):
    """Where a probe is sent: by the caller, or by somebody behind the gateway."""

    CALLER = "caller"
    FAR = "far"


class Expected(Enum):
    """What the fence is to do with it."""

    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True)
class Probe:
    """``number`` marks its packets, 1 to 65535; ``category`` says what it tries, ``what`` the one thing that this
    one does. ``packets``: whole IP packets, sent in this order. ``version`` 4 or 6. ``answered``: whether who takes
    it will say so. ``arrives_from``: the source that it is to have when it arrives; any will do where there is none."""

    number: int
    category: str
    what: str
    side: Side
    expected: Expected
    packets: tuple[bytes, ...]
    version: int = 4
    answered: bool = True
    arrives_from: IPv4Address | None = None


class Seen(Enum):
    """What became of a probe."""

    ARRIVED = "arrived"
    ANSWERED = "answered"
    REFUSED = "refused"
    """Somebody on the way has said that it goes no further (ICMP)."""
    NOTHING = "nothing"
    """Where one can look: it did not arrive."""
    SILENCE = "silence"
    """Where nobody can look: dropped, or taken without a word."""


@dataclass(frozen=True)
class Outcome:
    """A probe and what was seen of it; ``arrived``: its packet as it came out, empty when it did not."""

    probe: Probe
    seen: Seen
    arrived: bytes = b""

    @property
    def passed(self) -> bool:
        """Whether it came through."""
        return self.seen in (Seen.ARRIVED, Seen.ANSWERED)

    @property
    def held(self) -> bool:
        """Whether the fence did as declared, or nothing speaks against it."""
        return self.passed == (self.probe.expected is Expected.ALLOWED) and not self.unmasked

    @property
    def unmasked(self) -> bool:
        """Whether it has arrived with another source than it was to have."""
        wanted = self.probe.arrives_from
        return wanted is not None and bool(self.arrived) and self.arrived[12:16] != wanted.packed

    @property
    def verdict(self) -> str:
        """allowed, denied, leaked, unreachable; or undecided, where silence is all that there was."""
        if self.probe.expected is Expected.ALLOWED:
            return "allowed" if self.held else "leaked" if self.unmasked else "unreachable"
        if self.seen is Seen.SILENCE:
            return "undecided"
        return "denied" if self.held else "leaked"
