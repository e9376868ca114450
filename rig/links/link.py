"""What PPP runs over: the part of a call that is below PPP, from its port to the moment that it connects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.drivers.base.errors import RigError
from rig.drivers.modem.call import Connection
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.ppp.ppp_log import MapAgreed
from rig.drivers.ppp.pppd import Pppd


class Link(Protocol):
    """A modem's line, a null modem, a call by a modem that is lent over L2TP.

    ``port``: the name that it has for a person; ``rate`` of the call in bit/s, 0 where nobody said; ``l2tp``: its
    terminal is a PPPoX socket; ``words``: what pppd is told for its sake; ``lasts``: its terminal serves one call
    after the other, so that a pppd that is held for one that failed is good for the next.
    """

    port: str
    rate: int
    identity: Identity
    profile: Profile | None
    l2tp: bool
    words: tuple[str, ...]
    lasts: bool

    def open(self) -> None:
        """Take the port, and bring what is there to a known state."""

    def terminal(self) -> int:
        """The descriptor that the next pppd is started on."""

    def dial(self, number: Number) -> Connection:
        """Call a number. Raises CallError by its result."""

    def release(self, pppd: Pppd) -> None:
        """The call is up: let pppd speak."""

    def agreed(self, event: MapAgreed) -> None:
        """PPP has agreed on what to escape, for one way."""

    def failure(self) -> RigError | None:
        """What the link itself knows of why the call ended; None where pppd knows better."""

    def hang_up(self) -> None:
        """End the call and let the port go. Nothing happens when it is not open."""


class TunnelledLink(Link, Protocol):
    """A call in a tunnel, of whose end pppd learns nothing. ``lost`` is told, from a thread of the tunnel's, that it
    has ended that was not ended here."""

    lost: Callable[[], None]


class AnsweringLink(Link, Protocol):
    """One that takes calls too. ``caller``: the number of who called last, where that was told."""

    caller: str

    def wait_for_call(self, seconds: float) -> bool:
        """Wait until somebody calls; whether it came to that in so many seconds, or before :meth:`wake`."""

    def answer(self) -> Connection:
        """Answer what rings. Raises CallError by what becomes of it."""

    def wake(self) -> None:
        """From another thread: have whoever waits for a call wait no longer; they may see PortLostError."""
