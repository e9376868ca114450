"""A control packet as pppd writes it into its log: ``sent [LCP ConfReq id=0x1 <mru 1410> <magic 0x5e1c>]``.

pppd's own printing is read, not PPP: which options it knows, and how it shows them, is its version's affair (main.c,
utils.c, and each protocol's printpkt of pppd 2.4.9 to 2.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# pppd goes on in another line with a packet that does not fit into one, and the bracket is there.
_PACKET = re.compile(r"(sent|rcvd) \[([^\s\]]+) ([^\s\]]+)(?: id=(0x[0-9a-f]+))?(?: (.*?))?\]?")
_PART = re.compile(r"<[^>]*>|\"[^\"]*\"|\S+")
_OPTION = re.compile(r"<(\S+)(?: (.*))?>")


@dataclass(frozen=True)
class LoggedPacket:
    """``code``: in pppd's short words, ConfReq, AuthAck; ``number``: its identifier, None for a packet without one;
    ``text``: its options, or its message, as pppd shows them."""

    sent: bool
    protocol: str
    code: str
    number: int | None
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Each option, or what else it carries, by itself."""
        return tuple(_PART.findall(self.text))

    @property
    def message(self) -> str:
        """What it says to a person, without the quotation marks around it."""
        return self.text.removeprefix('"').removesuffix('"')

    def option(self, name: str) -> str | None:
        """The value of an option, as it stands there; None where there is none of that name."""
        for part in self.parts:
            if (found := _OPTION.fullmatch(part)) and found[1] == name:
                return found[2] or ""
        return None


def packet_in(line: str) -> LoggedPacket | None:
    """The packet that a line is; None for one that is a sentence."""
    found = _PACKET.fullmatch(line.strip())
    if found is None:
        return None
    return LoggedPacket(found[1] == "sent", found[2], found[3], int(found[4], 16) if found[4] else None, found[5] or "")
