"""A folder that belongs to a process as long as that lives: its lock is held, and whoever finds it free may clear it.

By a lock, and not by a process id in its name, which means nothing in another PID namespace, and may be used again.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from pathlib import Path

BEGINNING = ".beginning-"
BEGINNING_SECONDS = 60.0
"""How long a folder may take from being made to having its lock and its name."""
LOCK = "lock"


def make(parent: Path, name: str) -> tuple[Path, int]:
    """A folder and the descriptor that holds its lock, to be closed by whoever removes the folder.

    It is made aside, locked, and only then has its name: another process, which clears what was left at this moment,
    never sees it without. Raises OSError, FileExistsError for a name that is taken among it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=BEGINNING, dir=parent))
    lock = os.open(aside / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        aside.rename(parent / name)
    except BaseException:
        os.close(lock)
        raise
    return parent / name, lock


def abandoned(folder: Path) -> bool:
    """Whether the process that made a folder is gone: its lock is free. One that is just being made has none yet."""
    try:
        if folder.name.startswith(BEGINNING) and time.time() - folder.stat().st_mtime < BEGINNING_SECONDS:
            return False
        handle = os.open(folder / LOCK, os.O_RDWR)
    except PermissionError:
        return False  # another user's, who will see to it
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
