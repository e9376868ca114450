"""What lies between a modem and its exchange: the subscriber's loop, whatever it carries.

A modem calls a Loop, a Loop calls its modem (a Telephone); neither knows what the other is made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.parts.exchange.hayes.events import Line, OffHook, SendDigits


class Telephone(Protocol):
    """What stands at the end of a subscriber's loop."""

    def line_event(self, event: Line, rate: int = 0) -> None:
        """Something happened on the line. ``rate`` in bit/s, with CARRIER."""

    def line_data(self, data: bytes) -> None:
        """Bytes that the far end's modem sent."""


class Loop(Protocol):
    """The modem's side of its line."""

    @property
    def name(self) -> str: ...

    def attach(self, telephone: Telephone | None) -> None:
        """A telephone is put on it, or the one that is there is taken away."""

    def off_hook(self, how: OffHook) -> None:
        """The loop is closed: a call is begun, or the one that rings is taken."""

    def on_hook(self) -> None: ...

    def digits(self, sent: SendDigits) -> None: ...

    def dial_complete(self) -> None:
        """No more digits follow."""

    def send(self, data: bytes) -> None:
        """Bytes for the far end's modem; to nobody where there is no carrier."""

    def room(self, when: Callable[[], None]) -> bool:
        """Whether more may be sent now; if not, ``when`` is called once as soon as it may."""

    def hold(self, on: bool) -> None:
        """The terminal takes no more (on), or takes again."""


class Handle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """The line's time, in seconds. An asyncio event loop is one."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> Handle: ...

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Handle: ...
