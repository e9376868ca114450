"""What a case has: the modem that is held to it, another one that it calls and that calls it, and whom it may dial."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from rig.conform.at.talker import Answer, Talker
from rig.conform.case import NotRunError
from rig.drivers.modem.result_codes import Code

RING_SECONDS = 15.0
"""Two cadences of the slowest country's, and the exchange's own time."""
RING = rb"\r\nRING\r\n"


@dataclass(frozen=True)
class Numbers:
    """``partner``: where the other modem is; ``own``: the device's own, for that one to call; ``busy``; ``silent``: it
    rings there, and nobody answers. Empty: there is no such."""

    partner: str = ""
    own: str = ""
    busy: str = ""
    silent: str = ""


@dataclass(frozen=True)
class Tester:
    """``modem``: what is held to it, in command state; ``other``: the one that it calls, where there is one;
    ``connect_seconds``: how long a call may take from its last digit to CONNECT."""

    modem: Talker
    other: Talker | None
    numbers: Numbers
    connect_seconds: float

    def record(self) -> list[str]:
        """All that was said, in order, and who said it."""
        told = [(one.at, "-> " if one.sent else "<- ", one.data) for one in self.modem.said]
        if self.other is not None:
            told += [(one.at, "   other -> " if one.sent else "   other <- ", one.data) for one in self.other.said]
        told.sort(key=lambda one: one[0])
        return [f"{at - told[0][0]:8.3f} {who}{data!r}" for at, who, data in told]

    # --- whom it may dial ------------------------------------------------------------------------------------------

    def silent_number(self) -> str:
        """Raises NotRunError where there is none; the others likewise."""
        return _known(self.numbers.silent, "number where nobody answers (--no-answer)")

    def busy_number(self) -> str:
        return _known(self.numbers.busy, "number that is busy (--busy)")

    def partner(self) -> Talker:
        if self.other is None:
            raise NotRunError("there is no other modem here (--partner)")
        return self.other

    def partner_number(self) -> str:
        self.partner()
        return _known(self.numbers.partner, "number of the other modem (--number)")

    def own_number(self) -> str:
        return _known(self.numbers.own, "number at which the device itself is called (--own-number)")

    # --- calls -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def in_a_call(self, setup: str = "", dial: str = "") -> Iterator[Answer]:
        """The device has called the partner, and is in data state: its CONNECT. The call is over at the end. ``dial``:
        how, where it is not by DT and the number."""
        number, other = self.partner_number(), self.partner()
        other.ok("S0=1")
        if setup:
            self.modem.ok(setup)
        with self.ended():
            yield self.modem.ends(dial or f"DT{number}", Code.CONNECT, seconds=self.connect_seconds)

    @contextlib.contextmanager
    def ringing(self, setup: str = "S0=0") -> Iterator[None]:
        """The partner calls the device, which has been told of it once. The call is over at the end."""
        number, other = self.own_number(), self.partner()
        self.modem.ok(setup)
        with self.ended():
            other.send(f"ATDT{number}\r".encode())
            self.modem.until(RING, self.connect_seconds, "RING")
            yield

    @contextlib.contextmanager
    def ended(self) -> Iterator[None]:
        """Whatever call there is when it is over, it is over then, at both ends."""
        try:
            yield
        finally:
            for each in (self.modem, self.other):
                if each is not None:
                    each.off_the_line()


def _known(number: str, what: str) -> str:
    if not number:
        raise NotRunError(f"there is no {what} here")
    return number
