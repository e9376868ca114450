"""What lies between a soft modem and its terminal equipment (DTE): a pty, or a USB device of software.

The modem calls a Terminal, a Terminal calls its modem (a Dce); neither knows what the other is made of.
"""

from __future__ import annotations

from typing import Protocol


class Terminal(Protocol):
    """The modem's side of the serial port.

    ``pending``: bytes that the DTE has not taken.
    """

    @property
    def pending(self) -> int: ...

    def write(self, data: bytes) -> None:
        """Send bytes to the DTE; to nobody when the port is not open."""

    def carrier(self, on: bool, *, lost: bool) -> None:
        """Raise or drop DCD. ``lost``: the call ended without the DTE's asking for it."""

    def ring(self) -> None:
        """One ring of RI."""

    def sample(self) -> None:
        """Look at DTR now, and tell the modem if it has changed."""

    def resume(self) -> None:
        """The modem takes bytes again."""

    def close(self) -> None:
        """The modem is unplugged: take the port away."""


class Dce(Protocol):
    """The terminal's side of the modem."""

    def from_dte(self, data: bytes) -> None:
        """Bytes from the DTE."""

    def set_dtr(self, on: bool) -> None:
        """DTR changed."""

    def takes_more(self) -> bool:
        """Whether bytes may come now; when not, the modem calls ``resume`` later."""

    def drained(self) -> None:
        """The DTE has taken bytes that were pending."""
