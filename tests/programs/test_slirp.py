"""slirp, which plays a PPP gateway without any kernel's PPP, held to the cases of ``rig conform ppp``; docs/conform.md
says why it does what it does otherwise."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SLIRP = "slirp-fullbolt"
OTHERWISE = [
    "1.8", "1.9", "4.5", "4.6", "5.6", "5.7", "6.6", "7.10", "7.11", "8.5", "9.1", "9.2", "9.3", "16.4", "32.6", "33.1",
]  # fmt: skip
SECONDS = 280.0
pytestmark = pytest.mark.skipif(shutil.which(SLIRP) is None, reason=f"{SLIRP} is not installed")


@pytest.mark.timeout(300)
def test_slirp_holds_all_but_what_is_known_of_it(tmp_path: Path) -> None:
    """It reads and writes by one descriptor, waits to be spoken to, and leaves a file where it was started."""
    words = f"/bin/sh -c 'HOME={tmp_path} exec {shutil.which(SLIRP)} -P <> {{port}} >&0 2>/dev/null'"
    command = [sys.executable, "-m", "rig", "conform", "ppp", "--json", "--quiet", "--answer", "2", "--against", words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=tmp_path)
    checks = json.loads(done.stdout)["checks"]
    failed = {check["name"]: check["observed"] for check in checks if check["held"] is False}
    assert sorted(failed) == sorted(OTHERWISE), failed
    assert [check["held"] for check in checks].count(True) == 100
