"""Who has a serial port: UUCP lock files, and the processes that hold it open.

A port is taken by flock and TIOCEXCL on the device, and by a lock file that programs which know neither
(minicom, cu, wvdial, pppd) look for: /run/lock/LCK..ttyUSB0 with the owner's process id in ten characters
(Filesystem Hierarchy Standard 3.0, §5.9).
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from rig.drivers.base.errors import PortBusyError

FOLDER = Path("/run/lock")


def process_name(pid: int) -> str:
    """A process's name and id, for a message: ``minicom (pid 4711)``."""
    try:
        return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
    except OSError:
        return f"pid {pid}"


def holders(device: Path) -> list[int]:
    """Ids of the other processes that have ``device`` open, as far as this user may see them; not the one that has the
    other side of a pseudo-terminal, and keeps this side open so that it stays (socat does).

    By the names that the kernel gives their open files; plain os calls, because this looks at every open
    file of the machine, each time a port is opened.
    """
    name = os.path.realpath(device)
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        if int(pid) != os.getpid():
            with contextlib.suppress(OSError):
                folder = f"/proc/{pid}/fd"
                opened = {number: os.readlink(f"{folder}/{number}") for number in os.listdir(folder)}
                if name in opened.values() and not _has_master(int(pid), opened, name):
                    found.append(int(pid))
    return found


def _has_master(pid: int, opened: dict[str, str], name: str) -> bool:
    """Whether a process has the master of a pseudo-terminal: the kernel says of each master which one it is."""
    if not name.startswith("/dev/pts/"):
        return False
    mine = f"tty-index:\t{name.removeprefix('/dev/pts/')}\n"
    masters = [number for number, path in opened.items() if path.endswith("/ptmx")]
    with contextlib.suppress(OSError):
        return any(mine in Path(f"/proc/{pid}/fdinfo/{number}").read_text() for number in masters)
    return False


INSTALL_RULES = (
    "sudo cp hw-config/udev/70-rig.rules /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger"
)


def explain_holders(pids: list[int]) -> tuple[str, str]:
    """Who they are, and what to do about it: for a PortBusyError."""
    names = [process_name(pid) for pid in pids]
    if any(name.startswith("ModemManager") for name in names):
        return ", ".join(names), (
            f"have ModemManager keep off: {INSTALL_RULES}; then plug the modem out and in; for a cellular modem "
            "take the sign from their line in it first"
        )
    return ", ".join(names), "end that program, or name another port"


def path_for(device: Path) -> Path:
    """Where the lock file of a device stands: the path below /dev with its slashes turned to underscores."""
    name = device.resolve().as_posix().removeprefix("/dev/").replace("/", "_")
    return FOLDER / f"LCK..{name}"


class LockFile:
    """A UUCP lock file, held from construction to :meth:`release`.

    Raises PortBusyError, naming the process, when a living one has it. A stale one is replaced.
    """

    def __init__(self, device: Path) -> None:
        self.path = path_for(device)
        self._device = device
        self._held = False
        for _ in range(3):  # a stale file may be replaced by another process between our look and our claim
            if self._claim() or not self._clear_stale():
                return
        raise PortBusyError(f"{device}: its lock file {self.path} keeps coming back")

    def _claim(self) -> bool:
        """Whether the file is ours now. It is whole before anybody sees it: one that is empty names no owner, and who
        looks at it in that moment would clear it as stale."""
        aside = self.path.with_name(f"LCK.{os.getpid()}.{threading.get_ident()}")
        try:
            aside.write_text(f"{os.getpid():10d}\n")
            aside.chmod(0o644)
            os.link(aside, self.path)
        except FileExistsError:
            return False
        except OSError:
            return True  # a folder that this user may not write to: flock and TIOCEXCL still hold
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()
        self._held = True
        return True

    def _clear_stale(self) -> bool:
        """Whether a stale file is gone; one of another user's may stay, and says nothing any more."""
        try:
            owner = read_owner(self.path)
            if owner is not None:
                raise PortBusyError(
                    f"{self._device} is held by {process_name(owner)}, says {self.path}",
                    "end that program, or name another port",
                )
            self.path.unlink()
        except FileNotFoundError:
            pass
        except PermissionError:
            return False
        return True

    def release(self) -> None:
        """Remove the file, if it is still this process's own."""
        if self._held:
            self._held = False
            with contextlib.suppress(OSError):
                if read_owner(self.path) == os.getpid():
                    self.path.unlink()


def remove_stale(device: Path) -> None:
    """Remove a device's lock file if the process that it names has ended."""
    path = path_for(device)
    with contextlib.suppress(OSError):
        if read_owner(path) is None:
            path.unlink()


def read_owner(path: Path) -> int | None:
    """The living process that a lock file names; None for one that has ended, or for no number at all.

    FHS has the number alone; minicom and gammu write their name and the user's behind it, old UUCP four binary bytes.
    """
    data = path.read_bytes()
    first = data.split(maxsplit=1)[:1]
    try:
        pid = int(first[0]) if first and first[0].isdigit() else int.from_bytes(data[:4], "little")
        os.kill(pid, 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    return pid if pid > 0 else None
