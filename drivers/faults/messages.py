"""Which messages there are that a fault may be about, and where each passes: on a telephone line, or on a cable."""

from __future__ import annotations

import difflib
import re
from enum import Enum

from rig.drivers.ipsec import isakmp
from rig.drivers.l2tp import messages as l2tp
from rig.drivers.ppp.peer import packet as ppp


class Kind(Enum):
    """Whose messages they are."""

    PPP = "PPP"
    L2TP = "L2TP"
    IKE = "IKE"


KNOWN: dict[Kind, tuple[str, ...]] = {
    Kind.PPP: ppp.EVERY_NAME,
    Kind.L2TP: l2tp.EVERY_NAME,
    Kind.IKE: isakmp.EVERY_NAME,
}
OTHERS: dict[Kind, re.Pattern[str]] = {
    Kind.PPP: re.compile(r"(?:lcp|pap|chap|ipcp|ipv6cp) code [0-9]+|protocol 0x[0-9a-f]{4} (?:code [0-9]+|[a-z-]+)"),
    Kind.L2TP: re.compile(r"message type [0-9]+"),
    Kind.IKE: re.compile(r"exchange [0-9]+(?: request| response)?"),
}
"""What a message is called that has no name, by its number."""


def kind_of(message: str) -> Kind:
    """Whose message it is, by its name in lower case. Raises ValueError for one that there is not."""
    for kind, names in KNOWN.items():
        if message in {name.lower() for name in names}:
            return kind
    for kind, pattern in OTHERS.items():
        if pattern.fullmatch(message):
            return kind
    every = {name.lower(): name for names in KNOWN.values() for name in names}
    near = difflib.get_close_matches(message, every, 3, 0.5)
    meant = " or ".join(repr(every[name]) for name in near) or "OCRP, 'LCP Configure-Request' or 'IKE_AUTH response'"
    raise ValueError(f"there is no message {message!r}; {meant}?")
