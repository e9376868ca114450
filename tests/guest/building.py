"""What the tests of the lab's guests build, and how they start one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rig.lab.outside import PROJECT, scratch_folder
from rig.lab.relay import request_for
from rig.lab.uml import UmlLab

HERE = Path(__file__).parent
MEND = PROJECT / "rig/lab/whole_xstate.c"
RIG = [sys.executable, "-m", "rig"]
BOUND = 60.0


def build(compiler: str, source: Path, made: Path, *options: str) -> Path:
    """A program or a library; its path. Where a guest can see it: a guest's /tmp is its own."""
    made.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, *options, "-o", str(made), str(source)], check=True)
    return made


def build_mend(made: Path, source: Path = MEND) -> Path:
    return build("tcc", source, made, "-shared", "-nostdlib")


def run_in(lab: UmlLab, *command: str) -> int:
    """Run a command in a guest of its own, with this process's streams; its exit status. Raises GuestError."""
    with scratch_folder() as folder, lab.start(folder) as guest:
        guest.await_boot()
        return guest.run(request_for(command, {"PATH": "/usr/bin:/bin"}, ()))


def rig(
    *arguments: str,
    prepare: Callable[[], None] | None = None,
    environment: dict[str, str] | None = None,
    folder: Path = PROJECT,
    bound: float = BOUND,
) -> subprocess.CompletedProcess[str]:
    """`rig`, with ``prepare`` called in its process before it begins; ``folder``: where it is run, and found."""
    return subprocess.run(
        [*RIG, *arguments], cwd=folder,
        capture_output=True, text=True, timeout=bound, check=False, preexec_fn=prepare, env=environment,
    )  # fmt: skip
