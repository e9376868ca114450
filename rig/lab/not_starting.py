"""Why a guest did not start, in one sentence that a person can act on; its console is for who wants to see more.

What is known by name is looked for in what the console said: the kernel's words, as Linux 6.1 and 6.12 have them under
arch/um. Anything else is told by its exit status and its last line.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from rig.drivers.base.errors import GuestError

Explain = Callable[[re.Match[str]], tuple[str, str]]
"""The sentence, and what mends it."""

FLOATING_POINT = (
    "the processor's floating-point area is larger than its kernel knows, and the mend for that is not in place",
    "apt-get install tcc   and the mend is built when a guest is started",
)
PTRACE = (
    "one process may not trace another here (ptrace): Yama, or a container's profile, forbids it",
    "sysctl kernel.yama.ptrace_scope=1; in a container: --security-opt seccomp=unconfined --cap-add SYS_PTRACE",
)
MEMORY = (
    "there is too little memory for it",
    "a guest wants 1 GB of memory, and room for it in /dev/shm or /tmp; ulimit -v unlimited",
)


def _noexec(found: re.Match[str]) -> tuple[str, str]:
    return (
        f"there is no shared memory to execute from: {found[1]} is mounted noexec",
        f"mount -o remount,exec {found[1]}; in a container: --tmpfs /dev/shm:exec,size=2g",
    )


KNOWN: tuple[tuple[re.Pattern[str], Explain], ...] = (
    (re.compile(r"(\S+) must be not mounted noexec"), _noexec),
    (re.compile(r"ptrace: Operation not permitted|check_ptrace|stop_ptraced_child"), lambda _: PTRACE),
    (re.compile(r"put_fp_registers|set fp regs failed"), lambda _: FLOATING_POINT),
    (re.compile(r"ran out of space|errno = -12\b|Cannot allocate memory|[Oo]ut of memory"), lambda _: MEMORY),
    (
        re.compile(r"^(?:lab guest: )?(\w+(?:Error|Exception): .*)", re.MULTILINE),
        lambda found: (f"its first process failed: {found[1]}", ""),
    ),
    (re.compile(r"Kernel panic - not syncing: (.*)"), lambda found: (f"its kernel panicked: {found[1]}", "")),
)


def explain(engine: str, console: str, status: int | None, waited: float) -> GuestError:
    """``status``: the exit status of its process, negative for a signal; None while it runs, after ``waited`` s."""
    for pattern, what in KNOWN:
        if found := pattern.search(console):
            why, mend = what(found)
            return GuestError(f"{engine} did not start: {why}", mend, console=console)
    if status is None:
        why = f"it was not ready within {waited:.0f} s"
    elif status == -signal.SIGKILL:
        why = "it was killed, as by the kernel when memory runs out"
    else:
        ending = f"signal {-status}" if status < 0 else f"status {status}"
        last = next((line.strip() for line in reversed(console.splitlines()) if line.strip()), "nothing")
        why = f"it ended with {ending}, and the last it said was: {last[:160]}"
    return GuestError(f"{engine} did not start: {why}", "-v shows all that its console said", console=console)
