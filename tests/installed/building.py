"""What an index would have of this project, built from a copy of it: building leaves folders beside the source."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 180.0


def build(folder: Path) -> Path:
    """A folder with the sdist, and the wheel that was built of it. Raises CalledProcessError."""
    source, made = folder / "source", folder / "dist"
    made_anew = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("rig", "drivers", "fixtures", "hw-config", "tests"):
        shutil.copytree(PROJECT / name, source / name, symlinks=True, ignore=made_anew)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, source)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(source)]
    subprocess.run(command, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    return made
