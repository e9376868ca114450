"""Service centres that are broken on purpose, each in one way."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from rig.callhome.transaction import Receipt


@dataclass(frozen=True)
class Fault:
    """``refuses`` every transaction; ``room``: bytes of a transaction that it has room for; ``cuts``: bytes of each
    file's first part after which the connection is cut; ``pace``: bytes a second that it takes; ``lies``: its receipt
    has another digest; ``forgets``: a file is not in its receipt."""

    name: str
    what: str
    refuses: bool = False
    room: int | None = None
    cuts: int | None = None
    pace: int = 0
    lies: bool = False
    forgets: bool = False

    def receipt(self, sound: Receipt) -> Receipt:
        """The one that it gives."""
        first, *others = sound.files
        if self.lies:
            first = replace(first, sha256=first.sha256[::-1])
        return Receipt(sound.id, tuple(others) if self.forgets else (first, *others))


SOUND = Fault("", "sound")
FAULTS = (
    Fault("refuses", "it is not taking anything", refuses=True),
    Fault("full", "its disk is full", room=4096),
    Fault("cuts", "it cuts the connection in the middle of each file, once", cuts=2000),
    Fault("slow", "it takes 2,000 bytes a second", pace=2000),
    Fault("lies", "the receipt has a digest that is not the file's", lies=True),
    Fault("forgets", "a file is not in the receipt", forgets=True),
)
BY_NAME = {fault.name: fault for fault in (SOUND, *FAULTS)}
