"""The first process of a lab's guest: makes the system usable, runs commands, powers off.

Started by the guest's kernel as init (see uml.py). It speaks frames (channel.py) with the outside over its lines. The
host's files are the root file system, read-only; what a command writes goes to temporary file systems, and the folders
that the request names writable are the host's own.

A guest runs one command, here, and powers off; or it stays, and each command is a session (session.py) of its own,
forked from this process, which has imported what a run imports.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import select
import shutil
import subprocess
import sys
import time
import tty
from pathlib import Path

from rig.drivers.base import syscalls
from rig.drivers.base.errors import RigError
from rig.lab.channel import Decoder, Frame, Kind, Request, encode, find_free
from rig.lab.session import (
    CHUNK,
    END_SECONDS,
    FREED,
    NOSUID,
    PROGRAMS,
    Session,
    run_apart,
    woken_by_children,
)

MODULES = (
    "ppp_async", "veth", "ipv6", "nf_conntrack_netlink", "iptable_filter", "xt_conntrack", "xt_comment", "xt_tcpudp",
)  # fmt: skip
IMPORTED = (
    "rig.cli.dial", "rig.cli.fence", "rig.cli.answer", "rig.cli.soak", "rig.cli.partner", "rig.cli.reporting",
    "rig.jobs.connect", "rig.jobs.fence_check", "rig.jobs.soak", "rig.jobs.answer", "rig.report",
)  # fmt: skip
"""By a guest that stays, before anybody asks: what the commands import that run here."""
UDEV_RULES = ("50-udev-default.rules", "60-serial.rules")
OWN_RULES = Path(__file__).resolve().parents[1] / "hw-config/udev/70-rig.rules"


def prepare() -> None:
    """Mount what a system has, make modules loadable, bring loopback up."""
    syscalls.mount("proc", "/proc", "proc", NOSUID)
    syscalls.mount("sys", "/sys", "sysfs", NOSUID)
    with contextlib.suppress(OSError):  # Debian's UML kernel mounts it by itself
        syscalls.mount("dev", "/dev", "devtmpfs")
    for folder in ("/dev/pts", "/dev/shm"):  # noqa: S108 - the guest's own
        Path(folder).mkdir(exist_ok=True)
    syscalls.mount("devpts", "/dev/pts", "devpts", syscalls.MS_NOSUID, "ptmxmode=0666")
    for folder in ("/run", "/dev/shm"):  # noqa: S108
        syscalls.mount("tmpfs", folder, "tmpfs", NOSUID)
    for folder in ("/run/lock", "/run/netns"):
        Path(folder).mkdir()
    Path("/run/lock").chmod(0o1777)  # as Debian has it: programs that are not root write their locks there
    if Path("/etc/ppp").is_dir():
        syscalls.mount("tmpfs", "/etc/ppp", "tmpfs", NOSUID)
    make_modules_loadable()
    if os.environ.get("RIG_UDEV"):
        start_udev(Path(os.environ["RIG_UDEV"]))
    borrow_pppd()
    Path("/proc/sys/kernel/hostname").write_text("lab")
    syscalls.set_up("lo")


def make_modules_loadable() -> None:
    """Let modprobe, and the kernel's own calls of it, find modules outside /lib/modules.

    The root is read-only and /lib/modules may not exist, so the folder cannot be linked there: modprobe is
    given a root of its own instead, through the path that the kernel (and iptables) calls.
    """
    source = Path(os.environ["RIG_MODULES"])
    release = os.uname().release
    if not os.environ["RIG_MODULES"] or not (source / release).is_dir():  # a kernel with all built in
        return
    root = Path("/run/modules")
    (root / "lib/modules").mkdir(parents=True)
    (root / "lib/modules" / release).symlink_to(source / release)
    script = root / "modprobe"
    script.write_text(f'#!/bin/sh\nexec /sbin/modprobe -d {root} "$@"\n')
    script.chmod(0o755)
    Path("/proc/sys/kernel/modprobe").write_text(str(script))
    subprocess.run([str(script), "-a", *MODULES], check=True)


def start_udev(files: Path) -> None:
    """udev, for what is plugged in from now on, with the rules that concern ttys alone.

    The whole set, and a look at every device that is there already, take twelve seconds under emulation.
    """
    rules = {name: (files / "lib/udev/rules.d" / name).read_text() for name in UDEV_RULES}
    rules[OWN_RULES.name] = OWN_RULES.read_text()
    for folder in ("/usr/lib/udev/rules.d", "/etc/udev/rules.d"):
        if Path(folder).is_dir():
            syscalls.mount("tmpfs", folder, "tmpfs")
    Path("/run/udev/rules.d").mkdir(parents=True)
    for name, text in rules.items():
        (Path("/run/udev/rules.d") / name).write_text(text)
    daemon = Path("/run/systemd-udevd")
    daemon.symlink_to(files / "bin/udevadm")  # it is the daemon when it is called by that name
    subprocess.run([str(daemon), "--daemon", "--resolve-names=never"], check=True)


def borrow_pppd() -> None:
    """Copy pppd where the host's user may read but not execute it, as Debian has it for users outside dip.

    The guest's root is that user to the host, so a copy of its own is the only one it can run.
    """
    PROGRAMS.mkdir()
    program = Path("/usr/sbin/pppd")
    if os.access(program, os.R_OK) and not os.access(program, os.X_OK):
        shutil.copyfile(program, PROGRAMS / program.name)
        (PROGRAMS / program.name).chmod(0o755)


def line_device(name: str) -> Path:
    """The device of a line to the outside: its path, or ``virtio:`` and the name of a virtio port."""
    kind, _, port = name.partition(":")
    if kind != "virtio":
        return Path(name)
    for entry in Path("/sys/class/virtio-ports").iterdir():
        if (entry / "name").read_text().strip() == port:
            return Path("/dev") / entry.name
    raise FileNotFoundError(errno.ENOENT, f"there is no virtio port {port}")


class OutsideGoneError(Exception):
    """A line has ended: nobody is outside any more."""


class Line:
    """A line to the outside, between two commands: collects the next request.

    ``free``: whether it was given back (Kind.FREE) since its last command; until then whatever comes is thrown away.
    """

    def __init__(self, name: str) -> None:
        self.descriptor = os.open(line_device(name), os.O_RDWR | os.O_NOCTTY)
        if os.isatty(self.descriptor):
            tty.setraw(self.descriptor)
        self.session: int | None = None
        self.begin()

    def begin(self) -> None:
        """The next command may come."""
        self.free = True
        self.decoder = Decoder()
        self.frames: list[Frame] = []
        self._parts = b""

    def end(self, freed: bool) -> None:
        """A session has ended; ``freed``: and has given the line back itself."""
        self.session = None
        self.begin()
        self.free = freed
        self._rest = b""

    def read(self) -> Request | None:
        """What has come; the request, once it is whole. Raises OutsideGoneError."""
        try:
            data = os.read(self.descriptor, CHUNK)
        except OSError:
            data = b""
        if not data:
            raise OutsideGoneError
        if not self.free:
            self._look_for_free(data)
            return None
        request = None
        for frame in self.decoder.feed(data):
            if request is not None:
                self.frames.append(frame)
            elif frame.kind is Kind.REQUEST:
                self._parts += frame.payload
                self.tell(Kind.READY)
            elif frame.kind is Kind.REQUEST_END:
                request = Request.decode(self._parts)
            elif frame.kind is Kind.FREE:  # whoever had it asked for nothing
                self.tell(Kind.FREE, frame.payload)
                self.begin()
        return request

    def _look_for_free(self, data: bytes) -> None:
        self._rest += data
        payload = find_free(self._rest)
        self._rest = self._rest[-CHUNK:]
        if payload:
            self.tell(Kind.FREE, payload)
            self.begin()

    def tell(self, kind: Kind, payload: bytes = b"") -> None:
        syscalls.write_all(self.descriptor, encode(kind, payload))


class Keeping:
    """A guest that stays: takes requests on all lines, each command in a process that is forked from this one."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.wake_reader = woken_by_children()

    def run(self) -> None:
        """Until the outside is gone."""
        with contextlib.suppress(OutsideGoneError):
            while True:
                self._step()
        end = time.monotonic() + END_SECONDS
        while any(line.session for line in self.lines) and time.monotonic() < end:
            select.select([self.wake_reader], [], [], 1.0)  # they have read the same, and end what they run
            self._collect()

    def _step(self) -> None:
        idle = {line.descriptor: line for line in self.lines if line.session is None}
        ready, _, _ = select.select([self.wake_reader, *idle], [], [])
        self._collect()
        for descriptor in ready:
            if descriptor in idle:
                line = idle[descriptor]
                request = line.read()
                if request is not None:
                    line.session = self._forked(line, request)

    def _collect(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_reader, 512)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                for line in self.lines:
                    if line.session == ended[0]:
                        line.end(os.waitstatus_to_exitcode(ended[1]) == FREED)

    def _forked(self, line: Line, request: Request) -> int:
        """The first process of a new PID namespace. To make the next one, this process must want its own again."""
        with Path("/proc/self/ns/pid").open("rb") as own:
            syscalls.unshare(syscalls.CLONE_NEWPID)
            pid = os.fork()
            if pid:
                syscalls.setns(own.fileno(), syscalls.CLONE_NEWPID)
                return pid
        status = 1
        try:
            status = run_apart(line.descriptor, line.decoder, line.frames, request)
        except BaseException as error:  # noqa: BLE001 - this process is to end here; the console has why
            report(error)
        finally:
            os._exit(status)


def report(error: BaseException) -> None:
    sys.stderr.write(f"lab guest: {type(error).__name__}: {error}\n")
    sys.stderr.flush()


def main() -> None:
    """Entry of the guest's init process; never returns."""
    try:
        prepare()
        lines = [Line(name) for name in os.environ["RIG_LINES"].split()]
        if os.environ["RIG_STAYS"]:
            for name in IMPORTED:
                importlib.import_module(name)
            prepare_for_runs()
            gc.freeze()  # collecting garbage would write to every page that its children share
            lines[0].tell(Kind.READY)
            Keeping(lines).run()
        else:
            lines[0].tell(Kind.READY)
            run_one(lines[0])
    except Exception as error:  # noqa: BLE001 - init must not end: the kernel would panic. The log has it.
        report(error)
    syscalls.power_off()


def prepare_for_runs() -> None:
    """What each run would find out anew: it is the same until this kernel ends."""
    from rig.drivers.net import firewall
    from rig.drivers.serial import ports

    with contextlib.suppress(RigError):  # a run that needs it will say so
        firewall.back_end()
    ports.list_ports()


def run_one(line: Line) -> None:
    """The only command of a guest that does not stay."""
    with contextlib.suppress(OutsideGoneError):
        while (request := line.read()) is None:
            pass
        Session(line.descriptor, line.decoder, line.frames).run(request)


if __name__ == "__main__":
    main()
