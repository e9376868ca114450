"""Where results go."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rig.drivers.base.errors import UsageError


def make_folder(folder: Path) -> None:
    """Make it, before the run: what is found must not be lost for want of a place. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "name a folder that you may write to") from error
