"""What a modem says of itself, and what is none of its answers because nobody asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CELLULAR = re.compile(r"\+C|CIS\b|CIS-", re.IGNORECASE)
"""V.250 §5.4.1 gives the names that begin with +C to digital cellular systems; TIA's own appear as "CIS-856" too."""


@dataclass(frozen=True)
class Identity:
    """What a modem says of itself; empty where it would not say.

    ``information``: the answers to ATI and its numbers. ``fax_classes`` as +FCLASS=? lists them, ``modulations``
    as +MS=? does, ``capabilities`` as +GCAP does (V.250 §6.1).
    """

    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    serial: str = ""
    capabilities: tuple[str, ...] = ()
    fax_classes: tuple[str, ...] = ()
    modulations: tuple[str, ...] = ()
    information: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """All that it said, one answer a line."""
        return "\n".join((self.manufacturer, self.model, self.revision, *(text for _, text in self.information)))

    @property
    def name(self) -> str:
        """It in one line, for a person; empty for a modem that tells nothing."""
        said = " ".join(filter(None, (self.manufacturer, self.model, self.revision))) or self.text.strip()
        return next(iter(said.splitlines()), "")

    @property
    def voice(self) -> bool:
        """Class 8 is voice (V.253)."""
        return "8" in self.fax_classes

    @property
    def kind(self) -> str:
        """pstn, cellular, isdn or unknown, by what it can do."""
        if any(_CELLULAR.match(name) for name in self.capabilities):
            return "cellular"
        if re.search(r"\bISDN\b|omni\.net", self.text, re.IGNORECASE):
            return "isdn"
        if self.modulations or any(name in self.fax_classes for name in ("1", "2", "2.0")):
            return "pstn"
        return "unknown"


_NAMED = re.compile(r"[+^*$%#!_][A-Z][A-Z0-9_]*(?::.*)?")
"""A name of an extended command, with what it tells or alone: V.250 §5.4.1, 27.007, and every maker's own."""
_STATE = re.compile(
    r"(?:[A-Z]{2,4}|CALL|SMS) (?:READY|DONE)|RDY|(?:NORMAL )?POWER(?:ED)? DOWN|(?:UNDER|OVER)-VOLTAGE .*|\$GPS_START",
    re.IGNORECASE,
)
"""A state that a cellular modem comes to (Quectel EC25 §2.24, SIMCom SIM7600, u-blox): words, without a name."""


def _asked_for(line: str, command: str) -> bool:
    """Whether a line begins with the name that was asked; AT+GMM is answered by +CGMM: as well (27.007 §5.2)."""
    asked = re.match(r"AT([+^*$%#!_])([A-Z][A-Z0-9_]*)", command, re.IGNORECASE)
    said = line.upper().split(":")[0]
    return asked is not None and said in {f"{asked[1]}{asked[2]}".upper(), f"{asked[1]}C{asked[2]}".upper()}


def is_unsolicited(line: str, command: str) -> bool:
    """Whether a line of text has the shape of what cellular modems send at any time, and is none of the answer to
    ``command``."""
    return bool(_STATE.fullmatch(line) or (_NAMED.fullmatch(line) and not _asked_for(line, command)))


def told(line: str, command: str) -> str:
    """What a line of the answer tells, without the command's name and quotes around it."""
    if _NAMED.fullmatch(line) and _asked_for(line, command):
        line = line.partition(":")[2]
    return line.strip().strip('"')
