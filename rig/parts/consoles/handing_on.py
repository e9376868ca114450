"""A request on its way to a call-home server (§5.4.2), behind the greetings of a conversation: its manifest, what the
server says of it, the files, and what became of them.

    asks     the manifest, a line
    server   "busy", and it is over; "done", with the receipt, where it is known; or "takes", with how many bytes of
             each file it has
    asks     the rest of each file, one behind the other as the manifest has them
    server   "goes on", every few seconds; at the end "done", with the service centre's receipt, or "failed", and why
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from rig.callhome.transaction import Manifest, Receipt

LONGEST = 1 << 20
"""Bytes of a manifest, or a receipt, of MOST_FILES files with short names."""
PIECE = 1 << 16


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a call-home server says of a request."""

    what: Literal["busy", "takes", "goes on", "done", "failed"]
    held: dict[str, int] = {}
    receipt: Receipt | None = None
    why: str = ""


class WayHome(Protocol):
    """What a call-home server carries requests by."""

    def carry(self, manifest: Manifest, files: Mapping[str, Path]) -> Receipt:
        """To the service centre. Raises RigError."""

    def rest(self) -> None:
        """There is nothing more to carry for now: a call is ended."""
