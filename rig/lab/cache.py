"""What is made or fetched for this user once, whatever checkout or virtual environment the rig is in."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def folder() -> Path:
    """By the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rig"


def made_of(source: Path, name: str) -> Path:
    """Where something is that is made of a file: another one when the file changes. ``name`` has a place for what tells
    one state of the file from another."""
    return folder() / name.format(hashlib.sha256(source.read_bytes()).hexdigest()[:12])
