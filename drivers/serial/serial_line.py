"""A serial line, held by this process alone: raw, at a speed, with hang-up.

The device is pyserial's; exclusiveness is threefold (flock, TIOCEXCL, UUCP lock file), because no one of
them is respected by every program (pyserial#124, #484).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import select
import stat
import struct
import termios
import threading
import time
from pathlib import Path
from types import TracebackType

import serial

from rig.drivers.base.errors import NoModemError, PortBusyError, PortLostError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.line_rate import BITS_A_BYTE
from rig.drivers.serial import locks
from rig.drivers.serial.remote_port import RemotePort

DTR_OFF_SECONDS = 0.3
"""How long DTR is dropped to hang up: above the 50 ms of S25's default, and what slow modems want."""
WRITE_SECONDS = 5.0
N_TTY = 0


def _how_to_be_let_in(device: Path) -> str:
    """Which group may open a port, and how to be in it."""
    with contextlib.suppress(OSError, KeyError):
        status = device.stat()
        if status.st_mode & stat.S_IWGRP:
            group = grp.getgrgid(status.st_gid).gr_name
            return f"the group {group} may: sudo adduser $USER {group}, and log in again; or run as root"
    return "its group may not either: hw-config/udev/70-rig.rules gives modems to dialout; or run as root"


def _mind_carrier(descriptor: int) -> None:
    attributes = termios.tcgetattr(descriptor)
    attributes[2] &= ~termios.CLOCAL
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _mind_carrier_of_pty(descriptor: int) -> None:
    """A pseudo-terminal has no other way to show the loss of carrier than to be hung up."""
    if os.ttyname(descriptor).startswith("/dev/pts/"):
        _mind_carrier(descriptor)


_fell: dict[Path, float] = {}
"""When a pseudo-terminal was closed to hang up, by whoever had it in this process; on the monotonic clock."""


def _stay_off(tty: Path) -> None:
    """Before a port is opened: wait until its DTR has been off for DTR_OFF_SECONDS, where it fell to hang up.

    A pseudo-terminal's closing is its DTR's fall, and a modem takes no notice of one that is shorter than its S25: it
    would be in the call still, and go with it. One that has hung up by itself is at another pseudo-terminal by then.
    """
    left = _fell.pop(tty.resolve(), float("-inf")) + DTR_OFF_SECONDS - time.monotonic()
    if left > 0:
        threading.Event().wait(left)


class SerialLine:
    """An open serial port: a device's path, or a pyserial URL. ``speed`` in bit/s.

    Raises NoModemError when there is no such port or it may not be opened, PortBusyError when another
    process holds it.
    """

    def __init__(self, port: str, speed: int = 115200, *, rtscts: bool = True) -> None:
        self.port = port
        self._pty = Path()
        self._hangs_up = False
        self._lock: locks.LockFile | None = None
        self._remote = RemotePort(port, speed, rtscts=rtscts) if "://" in port else None
        tty = Path(self._remote.tty if self._remote else port)
        try:
            self._check(tty)
            self._lock = locks.LockFile(tty)
            _stay_off(tty)
            self._serial = self._open(str(tty), speed, rtscts and self._remote is None)
            if self._remote is None and not self.has_modem_control:
                self._pty = Path(self.device)
        except BaseException:
            self._let_go()
            raise

    @staticmethod
    def _check(device: Path) -> None:
        if not device.exists():
            raise NoModemError(
                f"{device}: there is no such port", "ls /dev/serial/by-id   lists the USB ones there are"
            )
        if not device.is_char_device():
            raise NoModemError(f"{device} is not a serial port")
        if others := locks.holders(device):
            names, advice = locks.explain_holders(others)
            raise PortBusyError(f"{device} is held by {names}", advice)

    def _open(self, port: str, speed: int, rtscts: bool) -> serial.Serial:
        try:
            line = serial.Serial(port, baudrate=speed, rtscts=rtscts, timeout=0, exclusive=True)
            try:
                fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
                # Who was killed with PPP on a pseudo-terminal has left it so: the kernel resets a terminal's line
                # discipline with its last close, and a pty's master is still open. Writing to it would wait for ever.
                fcntl.ioctl(line.fileno(), termios.TIOCSETD, struct.pack("i", N_TTY))
                _mind_carrier_of_pty(line.fileno())
            except BaseException:
                line.close()
                raise
        except (serial.SerialException, OSError, ValueError, termios.error) as error:  # the last: hung up meanwhile
            if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM):
                raise NoModemError(f"{port}: permission denied", _how_to_be_let_in(Path(port))) from error
            if "exclusively lock" in str(error) or getattr(error, "errno", None) == errno.EBUSY:
                raise PortBusyError(f"{port}: another process holds it for itself alone") from error
            raise NoModemError(f"{port}: {error}") from error
        return line

    def fileno(self) -> int:
        """The descriptor, for select and for pexpect."""
        return int(self._serial.fileno())

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the terminal server that has the port does not do, in words."""
        return self._remote.lacking if self._remote else ()

    @property
    def speed(self) -> int:
        """Of the port, in bit/s."""
        return int(self._serial.baudrate)

    def seconds_for(self, characters: int) -> float:
        """How long the port takes to carry so many characters."""
        return characters * BITS_A_BYTE / self.speed

    @property
    def device(self) -> str:
        """The path of the terminal itself, links resolved: what pppd is given."""
        return os.ttyname(self.fileno())

    @property
    def has_modem_control(self) -> bool:
        """Whether the line has DTR and DCD at all; a pseudo-terminal has none (TIOCMGET: ENOTTY)."""
        try:
            fcntl.ioctl(self.fileno(), termios.TIOCMGET, bytes(4))
        except OSError:
            return False
        return True

    @property
    def present(self) -> bool:
        """Whether the port is still there; one that was unplugged is not, though its descriptor is open."""
        return self._remote.open if self._remote else Path(self.port).exists()

    @property
    def carrier(self) -> bool | None:
        """DCD; None where the line has none."""
        if self._remote is not None:
            return self._remote.carrier
        return bool(self._serial.cd) if self.has_modem_control else None

    def set_speed(self, speed: int) -> None:
        """Set the port to so many bit/s. Raises PortLostError when it is gone."""
        try:
            if self._remote is not None:
                self._remote.set_speed(speed)
            self._serial.baudrate = speed
            self._keep_minding()
        except (OSError, serial.SerialException, termios.error) as error:
            raise PortLostError(f"{self.port}: {error}") from error

    @property
    def ringing(self) -> bool | None:
        """RI; None where the line has none, or its terminal server does not tell."""
        return bool(self._serial.ri) if self._remote is None and self.has_modem_control else None

    @property
    def clear_to_send(self) -> bool | None:
        """CTS; None where the line has none."""
        if self._remote is not None:
            return self._remote.clear_to_send
        return bool(self._serial.cts) if self.has_modem_control else None

    def set_flow_control(self, wanted: bool) -> bool:
        """Use RTS and CTS where they are wanted and wired, or leave them alone; whether they are used now.

        A modem that has just answered holds CTS on, if its wire is there (V.24, circuit 106): a cable of three wires
        would carry nothing more. Raises PortLostError when the port is gone.
        """
        try:
            on = wanted and self.clear_to_send is not False
            if self._remote is not None:
                self._remote.set_flow_control(on)
            else:
                self._serial.rtscts = on
                self._keep_minding()
        except (OSError, serial.SerialException, termios.error) as error:
            raise PortLostError(f"{self.port}: {error}") from error
        return on

    def mind_carrier(self) -> None:
        """Have the kernel hang the terminal up when DCD falls, whoever uses it then: pyserial says not to (CLOCAL)."""
        _mind_carrier(self.fileno())

    def ignore_carrier(self) -> None:
        """Have it not hung up: what a modem says of a call that it lost can be read then (CLOCAL, termios(3)).

        Raises PortLostError when the port is gone.
        """
        try:
            attributes = termios.tcgetattr(self.fileno())
            attributes[2] |= termios.CLOCAL
            termios.tcsetattr(self.fileno(), termios.TCSANOW, attributes)
        except (OSError, serial.SerialException, termios.error) as error:
            raise PortLostError(f"{self.port}: {error}") from error

    def _keep_minding(self) -> None:
        """pyserial sets CLOCAL with each setting."""
        if self._remote is None:
            _mind_carrier_of_pty(self.fileno())

    def write(self, data: bytes) -> None:
        """Write all of it. Raises PortLostError when the other side is gone, or takes nothing for WRITE_SECONDS.

        Not by pyserial, whose limit is on the clock alone: on a busy machine a write that was done fails there.
        """
        rest = memoryview(data)
        poller = select.poll()
        try:
            poller.register(self.fileno(), select.POLLOUT)
            while rest:
                with waiting():
                    ready = poller.poll(WRITE_SECONDS * 1000)
                if not ready:
                    raise PortLostError(
                        f"{self.port} has taken nothing for {WRITE_SECONDS:g} s",
                        "is the modem switched on? With flow control it takes nothing while its CTS is off",
                    )
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(self.fileno(), rest) :]
        except OSError as error:  # pyserial's own, of a port that is closed, is one too
            raise PortLostError(f"{self.port}: {error.strerror or error}") from error

    def discard_input(self) -> None:
        """Throw away what has arrived and was not read."""
        with contextlib.suppress(OSError, serial.SerialException, termios.error):
            termios.tcflush(self._serial.fileno(), termios.TCIFLUSH)

    def hang_up(self) -> None:
        """Drop DTR for DTR_OFF_SECONDS. A pseudo-terminal has no DTR: closing it is its hang-up."""
        if self._remote is None and not self.has_modem_control:
            self._hangs_up = True
            return
        try:
            self._set_dtr(False)
            threading.Event().wait(DTR_OFF_SECONDS)  # the drop's own length; nothing signals its end
            self._set_dtr(True)
        except (OSError, serial.SerialException) as error:
            raise PortLostError(f"{self.port}: {error}") from error

    def _set_dtr(self, on: bool) -> None:
        if self._remote is not None:
            self._remote.set_dtr(on)
        else:
            self._serial.dtr = on

    def close(self) -> None:
        """Close and unlock; also when the device is gone already. DTR falls with the last close (HUPCL)."""
        if self._hangs_up:
            _fell[self._pty] = time.monotonic()
        with contextlib.suppress(OSError, serial.SerialException, termios.error):
            if self._serial.is_open:
                # Bytes that a stopped line will never take would hold close() for 30 s (pyserial#341).
                termios.tcflush(self._serial.fileno(), termios.TCOFLUSH)
                # A pty's slave stays exclusive as long as its master lives, whoever has closed it.
                fcntl.ioctl(self._serial.fileno(), termios.TIOCNXCL)
        with contextlib.suppress(OSError, serial.SerialException, termios.error):
            self._serial.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
        if self._remote is not None:
            self._remote.close()

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
