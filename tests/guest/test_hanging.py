"""A guest that hangs: whoever waits for it gets away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rig.lab.relay import HANGING_SECONDS
from tests.polling import wait_until

SECONDS = 30.0


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_second_interruption_ends_a_guest_that_hangs() -> None:
    """Catches a terminal that only another terminal gets one out of: the guest takes signals, and does nothing."""
    command = [sys.executable, "-m", "rig", "lab", "run", "--own", "--", "sh", "-c", "echo ready; sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            guests = children(run.pid)
            assert guests
            for guest in guests:
                os.killpg(os.getpgid(guest), signal.SIGSTOP)
            run.send_signal(signal.SIGINT)
            time.sleep(HANGING_SECONDS + 0.5)  # as somebody does who has pressed Ctrl-C
            assert run.poll() is None
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=20)
        finally:
            run.kill()
    assert "has said nothing for" in said
    assert run.returncode == 4
    assert not any(Path(f"/proc/{guest}").exists() for guest in guests)


def test_a_guest_that_still_boots_goes_with_whoever_is_killed() -> None:
    """Catches a machine under emulation that runs on for hours: it had no line yet when its starter went."""
    command = [sys.executable, "-m", "rig", "lab", "run", "--own", "--usb", "--", "true"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            wait_until(lambda: bool(machines(run.pid)), SECONDS, "QEMU")
            guests = machines(run.pid)
        finally:
            run.kill()
    wait_until(lambda: not any(Path(f"/proc/{guest}").exists() for guest in guests), SECONDS, "its end")


def machines(pid: int) -> list[int]:
    """The emulators that it has started."""
    return [one for one in children(pid) if "qemu" in name_of(one)]


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except FileNotFoundError:
        return ""
