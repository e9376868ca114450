"""A guest that does not start: the next engine is taken where there is one, and the cause is a sentence."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.drivers.base import syscalls
from rig.lab import engines
from tests.guest.building import rig

EPERM_FOR_PTRACE = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x20, 0, 0, 0),  # the system call's number
        (0x15, 0, 1, 101),  # ptrace, on x86-64?
        (0x06, 0, 0, 0x00050001),  # SECCOMP_RET_ERRNO, EPERM
        (0x06, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
    )
)
EMULATED_SECONDS = 200.0
"""For QEMU, where there is no KVM that runs anything."""
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def forbid_ptrace() -> None:
    """As the profile of a container does."""
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = ctypes.create_string_buffer(EPERM_FOR_PTRACE)
    program = struct.pack("HxxxxxxQ", len(EPERM_FOR_PTRACE) // 8, ctypes.addressof(instructions))
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(program)) == 0


def mount_noexec(*folders: str) -> None:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    for folder in folders:
        syscalls.mount("tmpfs", folder, "tmpfs", syscalls.MS_NOEXEC, "mode=1777,size=2g")


def nothing_may_be_executed() -> None:
    """But what is in /tmp already, where the checkout may be."""
    mount_noexec("/dev/shm", "/var/tmp", os.environ["TMPDIR"])


def shared_memory_may_not_be_executed() -> None:
    mount_noexec("/dev/shm")


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount another /dev/shm")


@pytest.mark.parametrize(
    ("prepare", "cause", "mend"),
    [
        (forbid_ptrace, "one process may not trace another here (ptrace)", "kernel.yama.ptrace_scope"),
        pytest.param(nothing_may_be_executed, "/dev/shm is mounted noexec", "remount,exec", marks=needs_root),
        (little_memory, "there is too little memory for it", "ulimit -v"),
    ],
    ids=["ptrace", "noexec", "memory"],
)
def test_a_known_cause_is_one_sentence_and_the_console_is_for_who_asks(
    prepare: Callable[[], None], cause: str, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = ("lab", "run", "--lab", "uml", "--own")
    done = rig(*command, "--", "true", prepare=prepare)
    assert done.returncode == 4
    first, second, *rest = done.stderr.splitlines()
    assert first.startswith("rig: uml did not start: ")
    assert cause in first
    assert mend in second
    assert len(rest) == 1
    verbose = rig(*command, "-v", "--", "true", prepare=prepare)
    assert "its console:" in verbose.stderr
    assert len(verbose.stderr) > len(done.stderr)


@needs_root
def test_a_shared_memory_that_may_not_be_executed_is_gone_round() -> None:
    """A container's /dev/shm is so by default; its /tmp will do."""
    done = rig("lab", "run", "--lab", "uml", "--own", "--", "echo", "here", prepare=shared_memory_may_not_be_executed)
    assert (done.returncode, done.stdout) == (0, "here\n")


@pytest.mark.timeout(EMULATED_SECONDS + 30)
def test_where_one_engine_does_not_start_the_next_is_taken_and_one_line_says_why() -> None:
    if not engines.missing("native"):
        pytest.skip("this machine's own kernel has PPP, and is taken first")
    if lacking := engines.missing("qemu"):
        pytest.skip(f"there is no next engine here: QEMU lacks {lacking}")
    command = ("lab", "run", "--own", "--", "cat", "/proc/sys/kernel/hostname")
    done = rig(*command, prepare=forbid_ptrace, bound=EMULATED_SECONDS)
    assert (done.returncode, done.stdout) == (0, "lab\n"), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("lab: uml did not start: one process may not trace another here")
    assert line.endswith("; taking qemu")


def test_the_doctor_says_what_was_seen(tmp_path: Path) -> None:
    """Catches "ready" for what is only installed; and once a guest has started, it is not started again."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for prepare, state in ((forbid_ptrace, "broken"), (None, "ok")):
        done = rig("doctor", "--json", prepare=prepare, environment=environment)
        found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
        assert found["uml"]["state"] == state, found["uml"]
    assert list(tmp_path.glob("rig-of-*/seen-*.json"))
    done = rig("doctor", "--json", prepare=forbid_ptrace, environment=environment)
    assert {finding["name"]: finding["state"] for finding in json.loads(done.stdout)["findings"]}["uml"] == "ok"
