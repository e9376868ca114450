"""A transaction: a reason, files with their sizes and digests, and the receipt for them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

from rig.drivers.base.errors import RigError

LARGEST = 2**53 - 1
"""Bytes: more than that is no whole number in every reader's JSON (RFC 8259 §6)."""
LONGEST_NAME = 255
MOST_FILES = 1000
ID, DIGEST = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


class NotReceivedError(RigError):
    """The service centre did not take a transaction, or has not got it as it was sent."""

    exit_status = 25
    outcome = "NOT RECEIVED"


class Entry(msgspec.Struct, frozen=True):
    """One file. ``size`` in bytes; ``sha256`` of the whole of it, in hexadecimal."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a transaction is to consist of. ``id``: 32 hexadecimal digits, its own; ``sender``: who calls home."""

    id: str
    reason: str
    sender: str
    files: tuple[Entry, ...]

    def entry(self, name: str) -> Entry | None:
        return next((one for one in self.files if one.name == name), None)


class Receipt(msgspec.Struct, frozen=True):
    """What has arrived, whole."""

    id: str
    files: tuple[Entry, ...]


def wrong_name(name: str) -> str:
    """Why a receiver takes no file of a name, as one that leads out of its folder; "" for a sound one."""
    if not name or len(name.encode()) > LONGEST_NAME:
        return f"a name has 1 to {LONGEST_NAME} bytes"
    if "/" in name or "\\" in name or PurePosixPath(name).name != name or name in (".", ".."):
        return "a name is a file's own, without a folder"
    if not name.isprintable() or name != name.strip():
        return "a name has no control characters, and no blanks at its ends"
    return ""


def wrong_manifest(manifest: Manifest) -> str:
    """Why a receiver takes no such manifest; "" for a sound one."""
    if not ID.fullmatch(manifest.id):
        return "its id is not 32 hexadecimal digits"
    if not 1 <= len(manifest.files) <= MOST_FILES:
        return f"it has {len(manifest.files)} files, and may have 1 to {MOST_FILES}"
    names = [entry.name for entry in manifest.files]
    for entry in manifest.files:
        if wrong := wrong_name(entry.name):
            return f"file {entry.name!r}: {wrong}"
        if not 0 < entry.size <= LARGEST:
            return f"file {entry.name!r}: its size is {entry.size}, and may be 1 to {LARGEST}"
        if not DIGEST.fullmatch(entry.sha256):
            return f"file {entry.name!r}: its SHA-256 is not 64 hexadecimal digits"
        if names.count(entry.name) > 1:
            return f"file {entry.name!r} is in it twice"
    return ""


def wrong_receipt(manifest: Manifest, receipt: Receipt) -> str:
    """Why a receipt is none for a transaction; "" where it is for all of it, and for nothing else."""
    found = {entry.name: entry for entry in receipt.files}
    if receipt.id != manifest.id:
        return "its receipt is for another transaction"
    for entry in manifest.files:
        got = found.pop(entry.name, None)
        if got is None:
            return f"{entry.name} is not in its receipt"
        if got != entry:
            return f"{entry.name}: its receipt is for {got.size} bytes, SHA-256 {got.sha256[:12]}…, and it has another"
    return f"{next(iter(found))} is in its receipt, and was not sent" if found else ""
