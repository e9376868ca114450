"""What was seen of each engine since this machine booted, which `rig doctor` tells: a guest that started, or KVM that
runs nothing. Kept for this user, in a folder that nobody else may write to."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

from rig.drivers.base.errors import CannotRunError

KVM_FAILURES = 2
"""So many in a row, and KVM is not tried until the next boot: one may be a machine that was busy."""
_STARTED, _FAILED = "started", "kvm failures"


def folder() -> Path:
    """This user's folder for what concerns every checkout and outlives a run. Raises CannotRunError where somebody else
    has made it."""
    path = Path(tempfile.gettempdir()) / f"rig-of-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CannotRunError(f"{path} is not a folder of this user's alone", "remove it, or set TMPDIR")
    return path


def _file() -> Path:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return folder() / f"seen-{boot}.json"


def _read() -> dict[str, int]:
    try:
        return {str(name): int(number) for name, number in json.loads(_file().read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}


def _write(**changes: int) -> None:
    before = _read()
    after = before | changes
    if after != before:
        with tempfile.NamedTemporaryFile("w", dir=folder(), delete=False) as aside:
            aside.write(json.dumps(after))
        Path(aside.name).replace(_file())


def started(engine: str) -> bool:
    """Whether a guest of this engine has started here since this machine booted."""
    return bool(_read().get(f"{engine} {_STARTED}"))


def remember_start(engine: str) -> None:
    _write(**{f"{engine} {_STARTED}": 1})


def kvm_runs_nothing() -> bool:
    return _read().get(_FAILED, 0) >= KVM_FAILURES


def remember_kvm(worked: bool) -> None:
    """A guest with KVM showed life, which forgets the failures before it; or it did not."""
    _write(**{_FAILED: 0 if worked else _read().get(_FAILED, 0) + 1})
