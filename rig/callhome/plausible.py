"""Files that look like an appliance's, for who has none at hand: of the size that is asked for, the same each time."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from rig.callhome.catalogue import PIECE, Catalogue, FileKind

WORDS = ("vio", "hmc", "lpar", "slot", "proc", "mem", "state=running", "code=0", "rc=0", "ent0", "U789D.001.DQD42T5")


def write(catalogue: Catalogue, name: str, size: int, path: Path) -> None:
    """One file of a catalogue. ``size`` in bytes: no fewer than what it is to hold takes. Raises ValueError for a name
    that fits no kind, or a size that is too small."""
    fit = catalogue.fit(name)
    if fit.kind is None:
        raise ValueError(f"{name}: {fit.wrong}")
    head, tail = _frame(fit.kind, name)
    filler = size - len(head) - len(tail)
    if filler < 0:
        raise ValueError(f"{name}: it has at least {len(head) + len(tail)} bytes")
    with path.open("wb") as file:
        file.write(head)
        for piece in _filled(fit.kind, name, filler):
            file.write(piece)
        file.write(tail)


def _frame(kind: FileKind, name: str) -> tuple[bytes, bytes]:
    """What it begins and ends with."""
    if kind.form == "xml":
        element = next((words[1:] for words in kind.holds if words.startswith("<")), "data")
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{element} file="{name}">\n'.encode(),
            f"</{element}>\n".encode(),
        )
    if kind.form == "binary":
        return f"{name}\n".encode(), b""
    return "".join(f"==> {words}\n" for words in (name, *kind.holds)).encode(), b""


def _filled(kind: FileKind, name: str, size: int) -> Iterator[bytes]:
    """So many bytes of what is in between."""
    drawn = random.Random(zlib.crc32(name.encode()))  # noqa: S311 - the same in every run
    while size > 0:
        piece = drawn.randbytes(PIECE) if kind.form == "binary" else _lines(kind, drawn)
        yield piece[:size]
        size -= len(piece)


def _lines(kind: FileKind, drawn: random.Random) -> bytes:
    lines = []
    for number in range(400):
        words = " ".join(drawn.choices(WORDS, k=6))
        when = (
            f"2007-06-{drawn.randrange(1, 29):02} {drawn.randrange(24):02}:{drawn.randrange(60):02}:{number % 60:02} "
        )
        lines.append(f"{when if kind.form == 'log' else ''}{words}\n")
    return "".join(lines).encode()
