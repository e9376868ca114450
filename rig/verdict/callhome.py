"""What came of a transaction."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import Verdict


def counted(number: int, what: str) -> str:
    """So many of something, in words."""
    return f"{number} {what}" + ("" if number == 1 else "s")


class FileReport(msgspec.Struct):
    """One file. ``size`` in bytes; ``carried``: bytes of it that went, more than its size where some went twice;
    ``parts``: in how many requests; ``began``: seconds from the run's beginning, ``seconds`` that it took; ``whole``:
    the other end has said that it has all of it."""

    name: str
    size: int
    sha256: str
    carried: int = 0
    parts: int = 0
    began: float = 0.0
    seconds: float = 0.0
    whole: bool = False


class CallHomeVerdict(Verdict):
    """The outcome of ``rig send`` and ``rig fetch``. ``reason``: of the catalogue, "" for fetching; ``id``: the
    transaction's; ``server``: which took it; ``sessions``: how often the way was up for it; ``limit``: bytes a second
    that the line can carry, 0 where nobody knows; ``receipt``: whether there is one for all of it."""

    reason: str = ""
    id: str = ""
    server: str = ""
    sessions: int = 0
    limit: float = 0.0
    receipt: bool = False
    files: list[FileReport] = msgspec.field(default_factory=list)

    @property
    def carried(self) -> int:
        """Bytes of files that went."""
        return sum(one.carried for one in self.files)

    @property
    def goodput(self) -> float:
        """Bytes a second, of what is whole, while files were sent."""
        seconds = sum(one.seconds for one in self.files)
        return sum(one.size for one in self.files if one.whole) / seconds if seconds else 0.0
