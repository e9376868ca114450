"""The first process of a lab's guest: makes the system usable, runs one command, powers off.

Started by the guest's kernel as init (see uml.py). It speaks frames (channel.py) with the outside over the
serial line /dev/ttyS0. The host's files are the root file system, read-only; what a command writes goes to
temporary file systems, and the folders that the request names writable are the host's own.
"""

from __future__ import annotations

import contextlib
import errno
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
import tty
from pathlib import Path

from drivers import syscalls
from rig.lab.channel import Decoder, Frame, Kind, Request, encode

MODULES = (
    "ppp_async", "veth", "ipv6", "nf_conntrack_netlink", "iptable_filter", "xt_conntrack", "xt_comment", "xt_tcpudp",
)  # fmt: skip
STREAMS = {Kind.STDOUT: "stdout", Kind.STDERR: "stderr"}
UDEV_RULES = ("50-udev-default.rules", "60-serial.rules")
OWN_RULES = Path(__file__).resolve().parents[2] / "hw-config/udev/70-rig.rules"
PROGRAMS = Path("/run/programs")
CHUNK = 32768
END_SECONDS = 15.0
"""How long a command may take to end after SIGTERM, when the outside has died."""


def prepare() -> None:
    """Mount what a system has, make modules loadable, bring loopback up."""
    nosuid = syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("proc", "/proc", "proc", nosuid)
    syscalls.mount("sys", "/sys", "sysfs", nosuid)
    with contextlib.suppress(OSError):  # Debian's UML kernel mounts it by itself
        syscalls.mount("dev", "/dev", "devtmpfs")
    for folder in ("/dev/pts", "/dev/shm"):  # noqa: S108 - the guest's own
        Path(folder).mkdir(exist_ok=True)
    syscalls.mount("devpts", "/dev/pts", "devpts", syscalls.MS_NOSUID, "ptmxmode=0666")
    for folder in ("/run", "/dev/shm"):  # noqa: S108
        syscalls.mount("tmpfs", folder, "tmpfs", nosuid)
    for folder in ("/run/lock", "/run/netns"):
        Path(folder).mkdir()
    if Path("/etc/ppp").is_dir():
        syscalls.mount("tmpfs", "/etc/ppp", "tmpfs", nosuid)
    make_modules_loadable()
    if os.environ.get("RIG_UDEV"):
        start_udev(Path(os.environ["RIG_UDEV"]))
    borrow_pppd()
    Path("/proc/sys/kernel/hostname").write_text("lab")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def make_modules_loadable() -> None:
    """Let modprobe, and the kernel's own calls of it, find modules outside /lib/modules.

    The root is read-only and /lib/modules may not exist, so the folder cannot be linked there: modprobe is
    given a root of its own instead, through the path that the kernel (and iptables) calls.
    """
    source = Path(os.environ["RIG_MODULES"])
    release = os.uname().release
    if not (source / release).is_dir():
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


def expose(folders: list[str]) -> None:
    """Give the guest a /tmp of its own, and write access to the named folders of the host, wherever they are."""
    syscalls.mount("tmpfs", "/tmp", "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV)  # noqa: S108
    for position, folder in enumerate(folders):
        Path(folder).mkdir(parents=True, exist_ok=True)
        if os.environ["RIG_SHARES"] == "hostfs":
            syscalls.mount("none", folder, "hostfs", syscalls.MS_NOSUID, folder)
        else:
            options = "trans=virtio,version=9p2000.L,cache=mmap,msize=512000"
            syscalls.mount(f"writable{position}", folder, "9p", syscalls.MS_NOSUID, options)


def set_window(descriptor: int, rows: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Command:
    """The command inside: a child whose streams are a terminal where the outside's are, pipes elsewhere."""

    def __init__(self, request: Request) -> None:
        self.unread = b""  # input that the command has not taken yet
        self.readers: dict[int, Kind] = {}
        self.master: int | None = None
        slave: int | None = None
        if request.terminals:
            self.master, slave = pty.openpty()
            set_window(self.master, request.rows, request.columns)
            self.readers[self.master] = Kind.STDOUT if "stdout" in request.terminals else Kind.STDERR

        def stream(name: str) -> int:
            return slave if slave is not None and name in request.terminals else subprocess.PIPE

        def take_terminal() -> None:
            if slave is not None:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            request.command,
            stdin=stream("stdin"),
            stdout=stream("stdout"),
            stderr=stream("stderr"),
            env=request.environment | {"PATH": f"{PROGRAMS}:{request.environment.get('PATH', os.defpath)}"},
            cwd=request.directory,
            start_new_session=True,
            preexec_fn=take_terminal,
            pass_fds=() if slave is None else (slave,),
        )
        if slave is not None:
            os.close(slave)
        self.input: int | None = self.master if self.process.stdin is None else self.process.stdin.fileno()
        if self.process.stdin is not None:
            os.set_blocking(self.process.stdin.fileno(), False)
        for kind, pipe in ((Kind.STDOUT, self.process.stdout), (Kind.STDERR, self.process.stderr)):
            if pipe is not None:
                self.readers[pipe.fileno()] = kind

    def handle(self, frame: Frame) -> None:
        """Carry one frame from the outside to the command."""
        if frame.kind is Kind.SIGNAL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, int(frame.payload))
        elif frame.kind is Kind.WINDOW and self.master is not None:
            rows, columns = struct.unpack("!HH", frame.payload)
            set_window(self.master, rows, columns)
        elif frame.kind is Kind.STDIN:
            self.unread += frame.payload
        elif frame.kind is Kind.STDIN_END and self.process.stdin is not None:
            self._close_input()

    def feed(self) -> None:
        """Give the command what it can take of its input."""
        if self.input is None:
            return
        try:
            self.unread = self.unread[os.write(self.input, self.unread) :]
        except BlockingIOError:
            return
        except OSError:  # it reads no more
            self._close_input()

    def _close_input(self) -> None:
        self.unread = b""
        if self.process.stdin is not None:
            self.input = None
            self.process.stdin.close()

    def read(self, descriptor: int) -> bytes:
        """What the command wrote; empty at its end (a pty says EIO there)."""
        try:
            return os.read(descriptor, CHUNK)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""


def line_device(name: str) -> Path:
    """The device of the line to the outside: its path, or ``virtio:`` and the name of a virtio port."""
    kind, _, port = name.partition(":")
    if kind != "virtio":
        return Path(name)
    for entry in Path("/sys/class/virtio-ports").iterdir():
        if (entry / "name").read_text().strip() == port:
            return Path("/dev") / entry.name
    raise FileNotFoundError(errno.ENOENT, f"there is no virtio port {port}")


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class Guest:
    """Relays between the line and the command until the command has ended and its output is drained."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.decoder = Decoder()
        self.watched: set[int] = set()
        self.alone = False  # nobody is outside any more
        self.wake_reader, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def await_request(self) -> Request:
        """The request, which comes in parts."""
        parts = b""
        while True:
            self._tell(Kind.READY)
            frame = self._next_frame()
            if frame.kind is Kind.REQUEST_END:
                return Request.decode(parts)
            parts += frame.payload

    def _next_frame(self) -> Frame:
        while True:
            data = os.read(self.line, CHUNK)
            if not data:
                raise EOFError("the outside went away before it asked for anything")
            if frames := self.decoder.feed(data):
                return frames[0]

    def run(self, request: Request) -> int:
        """Run the command; its exit status, 128 + N when signal N ended it."""
        command = Command(request)
        self.watched = {self.line, self.wake_reader, *command.readers}
        self._tell(Kind.READY)
        while command.process.poll() is None:
            self._relay(command, timeout=None)
        while command.readers and self._relay(command, timeout=0.05):
            pass
        status = command.process.returncode
        return 128 - status if status < 0 else status

    def _tell(self, kind: Kind, payload: bytes = b"") -> None:
        if not self.alone:
            write_all(self.line, encode(kind, payload))

    def _relay(self, command: Command, timeout: float | None) -> bool:
        waiting = [command.input] if command.unread and command.input is not None else []
        ready = select.select(self.watched, waiting, [], timeout)
        if ready[1]:
            command.feed()
            if not command.unread:
                self._tell(Kind.READY)
        for descriptor in ready[0]:
            if descriptor == self.wake_reader:
                os.read(descriptor, 512)
                reap_orphans(command.process.pid)
            elif descriptor == self.line:
                self._from_outside(command)
            else:
                self._from_command(command, descriptor)
        return bool(ready[0])

    def _from_command(self, command: Command, descriptor: int) -> None:
        data = command.read(descriptor)
        if data:
            self._tell(command.readers[descriptor], data)
        else:
            self.watched.discard(descriptor)
            del command.readers[descriptor]

    def _from_outside(self, command: Command) -> None:
        try:
            data = os.read(self.line, CHUNK)
        except OSError:
            data = b""
        if not data:  # the outside died: end what it had asked for, and the guest with it
            self.watched.discard(self.line)
            self.alone = True
            command.process.terminate()
            try:
                command.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                command.process.kill()
            return
        for frame in self.decoder.feed(data):
            command.handle(frame)


def reap_orphans(command_pid: int) -> None:
    """Collect the orphans that became children of init; the command's own status is left to Popen."""
    with contextlib.suppress(ChildProcessError):
        while True:
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if info is None or info.si_pid == command_pid:
                return
            os.waitpid(info.si_pid, 0)


def main() -> None:
    """Entry of the guest's init process; never returns."""
    try:
        prepare()
        line = os.open(line_device(os.environ["RIG_LINE"]), os.O_RDWR | os.O_NOCTTY)
        if os.isatty(line):
            tty.setraw(line)
        guest = Guest(line)
        request = guest.await_request()
        try:
            expose(request.writable)
            status = guest.run(request)
        except (OSError, subprocess.SubprocessError) as error:
            write_all(line, encode(Kind.STDERR, f"lab: {error}\n".encode()))
            status = 127
        write_all(line, encode(Kind.EXIT, str(status).encode()))
        if os.isatty(line):
            termios.tcdrain(line)
    except Exception as error:  # noqa: BLE001 - init must not end: the kernel would panic. The log has it.
        sys.stderr.write(f"lab guest: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
    syscalls.power_off()


if __name__ == "__main__":
    main()
