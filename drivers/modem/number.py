"""A number to dial, checked where it comes in, and a type from there on."""

from __future__ import annotations

import re

from rig.drivers.base.errors import UsageError

_WRITTEN = re.compile(r"[0-9*#+A-DTPW,;!@$ ().-]{1,64}", re.IGNORECASE)
_FOR_PEOPLE = re.compile(r"[ ().-]")


class Number(str):
    """As a person writes it: digits, * # + A to D, the modifiers T P W , ; ! @ $ (V.250 §6.3.1), and what makes it
    readable. Raises UsageError for what no modem would take."""

    __slots__ = ()

    def __new__(cls, written: str) -> Number:
        number = written.strip()
        if not _WRITTEN.fullmatch(number):
            raise UsageError(
                f"{written!r} is not a number to dial",
                "digits, * # + and the modifiers T P W , ; ! @ (V.250 §6.3.1)",
            )
        return super().__new__(cls, number)

    @property
    def dial_string(self) -> str:
        """What a modem is sent for it."""
        return _FOR_PEOPLE.sub("", self)
