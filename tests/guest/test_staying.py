"""A guest that stays: commands run in it as in one of their own, and whatever dies leaves it usable."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.lab.keeper import LINES
from rig.lab.outside import PROJECT
from tests.guest.building import BOUND, RIG, rig

BOOT = ("cat", "/proc/sys/kernel/random/boot_id")


class Staying:
    """A guest that is up for this test alone, in a folder of its own for what outlives a run."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self.environment = {**os.environ, "TMPDIR": str(folder)}
        self.folder = folder
        self.project = project

    def rig(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return rig(*arguments, environment=self.environment, folder=self.project)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self.rig("lab", "run", "--lab", "uml", "--", *command)

    def begin(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*RIG, "lab", "run", "--lab", "uml", "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip

    def boot(self) -> str:
        """What tells one start of a kernel from another."""
        done = self.run(*BOOT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def keeper(self) -> int:
        """The process that keeps it: whose environment is this test's, and which has started a kernel."""
        return next(pid for pid in self._processes("rig.lab.keeper"))

    @property
    def kernel(self) -> int:
        """The guest's first process, which leads its group; the others go on without it."""
        return next(pid for pid in self._processes("linux.uml") if os.getpgid(pid) == pid)

    def _processes(self, word: str) -> Iterator[int]:
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and word in (entry / "cmdline").read_bytes().decode().split("\0"):
                    words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                    if str(self.folder).encode() in words:
                        yield int(entry.name)


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[Staying]:
    staying = Staying(tmp_path)
    done = staying.rig("lab", "up", "--lab", "uml")
    assert done.returncode == 0, done.stderr
    yield staying
    staying.rig("lab", "down")


def await_end(pid: int) -> bool:
    """Whether a process, of whoever, has ended within the bound."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], BOUND)[0])
    finally:
        os.close(handle)


def test_commands_share_it_and_a_command_may_have_its_own(staying: Staying) -> None:
    assert staying.boot() == staying.boot()
    own = staying.rig("lab", "run", "--lab", "uml", "--own", "--", *BOOT)
    assert own.stdout != staying.boot()
    again = staying.rig("lab", "up", "--lab", "uml")
    assert (again.returncode, "was up already" in again.stdout) == (0, True)


def test_a_command_finds_nothing_of_another(staying: Staying) -> None:
    """Processes, files and networks that were left behind."""
    left = "touch /tmp/left /run/left; ip link add left0 type dummy; ip netns add left; (sleep 1000 &) ; echo left"
    assert staying.run("sh", "-c", left).stdout == "left\n"
    look = "ls /tmp /run /run/netns; ip -br link; ps -eo args"
    seen = staying.run("sh", "-c", look).stdout
    assert "lo " in seen
    assert "left" not in seen.replace(look, "")
    assert "sleep" not in seen


def test_status_streams_folder_environment_and_input_are_the_commands(staying: Staying) -> None:
    script = (
        "import os, sys; print(os.getcwd(), os.environ['X']); print(len(sys.stdin.read()), file=sys.stderr); "
        "sys.exit(7)"
    )
    done = subprocess.run(
        [*RIG, "lab", "run", "--lab", "uml", "--", sys.executable, "-c", script],
        input="x" * 100_000, capture_output=True, text=True, timeout=BOUND, check=False,
        env=staying.environment | {"X": "a b"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (7, f"{Path.cwd()} a b\n", "100000\n")


def test_a_rig_command_is_run_by_the_guest_itself_as_by_a_new_interpreter(staying: Staying) -> None:
    """Its exit status, both of its streams, and an error on its own line."""
    for environment in ({}, {"PYTHONNODEBUGRANGES": "1"}):  # the second keeps it from being run so
        done = rig(
            "dial", "--number", "1-800-555-0101", "--bench", "loopback-instant", "--lab", "uml", "--json",
            environment=staying.environment | environment,
        )  # fmt: skip
        assert done.returncode == 10
        assert '"outcome": "BUSY"' in done.stdout or '"outcome":"BUSY"' in done.stdout
        assert "BUSY: " in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_not_the_guest(staying: Staying, number: signal.Signals) -> None:
    boot = staying.boot()
    with staying.begin("sh", "-c", "echo here; exec sleep 1000") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(number)
        assert process.wait(BOUND) == 128 + number
    assert staying.boot() == boot


def test_a_terminal_inside_has_the_outsides_size(staying: Staying) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 107, 0, 0))
    command = [*RIG, "lab", "run", "--lab", "uml", "--", "stty", "size"]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=staying.environment
    )
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):  # EIO: everybody has closed it
        while part := os.read(master, 4096):
            seen += part
    os.close(master)
    assert (process.wait(BOUND), b"33 107" in seen) == (0, True)


def test_a_client_that_is_killed_takes_its_command_along_and_gives_its_line_back(staying: Staying) -> None:
    """More often than there are lines; in the middle of what it reads and of what it writes."""
    boot = staying.boot()
    for _ in range(LINES + 2):
        with staying.begin("sh", "-c", "echo $$; while :; do echo 'a line that is long enough'; done") as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.kill()
    assert staying.boot() == boot
    assert "a line" not in staying.run("ps", "-eo", "args").stdout


def test_with_all_lines_in_use_a_command_has_a_guest_of_its_own(staying: Staying) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(LINES):
            process = stack.enter_context(staying.begin("sh", "-c", "echo here; exec sleep 1000"))
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
        one_more = staying.run("echo", "mine")
        assert (one_more.returncode, one_more.stdout) == (0, "mine\n")
        assert f"all of its {LINES} lines are in use" in one_more.stderr


def test_a_guest_that_died_is_started_anew(staying: Staying) -> None:
    boot = staying.boot()
    with staying.begin("sh", "-c", "echo here; exec sleep 1000") as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(staying.kernel, signal.SIGKILL)
        assert process.wait(BOUND) == 4
        assert process.stderr is not None
        assert "ended before its command did" in process.stderr.read()
    assert staying.boot() != boot


def test_without_its_keeper_the_guest_ends_and_a_command_has_its_own(staying: Staying) -> None:
    kernel = staying.kernel
    os.kill(staying.keeper, signal.SIGKILL)
    assert await_end(kernel)
    assert staying.run("true").returncode == 0
    assert staying.rig("lab", "up", "--lab", "uml").returncode == 0


def test_down_ends_it_and_what_runs_in_it(staying: Staying) -> None:
    kernel = staying.kernel
    with staying.begin("sh", "-c", "echo here; exec sleep 1000") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert staying.rig("lab", "down").stdout == "lab: uml ended\n"
        assert process.wait(BOUND) == 128 + signal.SIGTERM
    assert await_end(kernel)
    assert staying.rig("lab", "down").stdout == "lab: no guest was up\n"


def test_it_ends_after_a_quiet_time(tmp_path: Path) -> None:
    staying = Staying(tmp_path)
    assert staying.rig("lab", "up", "--lab", "uml", "--quiet-for", "1").returncode == 0
    assert await_end(staying.keeper)
    assert staying.rig("lab", "down").stdout == "lab: no guest was up\n"


def test_when_the_code_has_changed_it_is_started_anew(tmp_path: Path) -> None:
    """Catches a run by the code of yesterday. In a copy, whose time stamps nobody else looks at."""
    copy = PROJECT / "build" / "guest-tests" / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PROJECT / "rig", copy / "rig", ignore=shutil.ignore_patterns("__pycache__"))  # and what it links to
    staying = Staying(tmp_path, copy)
    assert staying.rig("lab", "up", "--lab", "uml").returncode == 0
    try:
        boot = staying.boot()
        os.utime(copy / "rig/__init__.py")
        done = staying.run(*BOOT)
        assert "the code has changed" in done.stderr
        assert (done.returncode, done.stdout != boot) == (0, True)
        assert staying.boot() == done.stdout
    finally:
        staying.rig("lab", "down")


def test_two_who_want_it_up_at_once_find_one(tmp_path: Path) -> None:
    staying = Staying(tmp_path)
    done: list[str] = []
    both = [threading.Thread(target=lambda: done.append(staying.rig("lab", "up", "--lab", "uml").stdout)) for _ in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join(BOUND)
    try:
        assert sorted("already" in said for said in done) == [False, True]
    finally:
        staying.rig("lab", "down")
