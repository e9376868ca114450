"""The data path of L2TP, which is the kernel's: PPPoX sockets, and the bridging of two PPP channels.

Facts as measured on Linux 6.1: ids in host order; the tunnel's socket must stay open as long as its sessions; both
channels of a bridge must be in the network namespace of who bridges them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
from ipaddress import IPv4Address

from rig.drivers.base.errors import CannotRunError

AF_PPPOX, PX_PROTO_OL2TP = 24, 1
PPPIOCGCHAN, PPPIOCATTCHAN, PPPIOCBRIDGECHAN = 0x80047437, 0x40047438, 0x40047435
PPPIOCSASYNCMAP, PPPIOCSRASYNCMAP = 0x40047457, 0x40047454
TIOCSETD, N_PPP = 0x5423, 3
PORT = 1701
MTU_IN_ESP = 1350
"""What is left of 1,500 bytes under ESP in UDP, L2TP, UDP and two IP headers, rounded down."""

_libc = ctypes.CDLL(None, use_errno=True)


def unconnected() -> socket.socket:
    """A PPPoX socket that is to become a tunnel's or a session's. Raises CannotRunError where there is no L2TP."""
    try:
        return socket.socket(AF_PPPOX, socket.SOCK_DGRAM, PX_PROTO_OL2TP)
    except OSError as error:
        raise CannotRunError(
            f"this kernel does not speak L2TP: {error.strerror}", "modprobe l2tp_ppp, as root; or in the lab: --lab uml"
        ) from error


def connect(
    made: socket.socket, udp: socket.socket, own: tuple[int, int], peer: tuple[int, int], address: IPv4Address
) -> None:
    """Make it the end of a session over a tunnel's UDP socket, for pppd's plug-in or for :class:`Bridge`.

    ``own`` and ``peer``: tunnel and session ids, the session's 0 for the tunnel itself. Raises OSError.
    """
    # sockaddr_pppol2tp, packed (linux/if_pppox.h)
    where = struct.pack("=HII", AF_PPPOX, PX_PROTO_OL2TP, 0) + struct.pack("=i", udp.fileno())
    where += struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", PORT, address.packed)
    where += struct.pack("=HHHH", *own, *peer)
    if _libc.connect(made.fileno(), where, len(where)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"PPPoX socket of tunnel {own[0]}, session {own[1]}: {os.strerror(number)}")


def session_socket(
    udp: socket.socket, own: tuple[int, int], peer: tuple[int, int], address: IPv4Address
) -> socket.socket:
    """A new socket, connected; see :func:`unconnected` and :func:`connect`."""
    made = unconnected()
    try:
        connect(made, udp, own, peer, address)
    except BaseException:
        made.close()
        raise
    return made


def tunnel_socket(udp: socket.socket, own: int, peer: int, address: IPv4Address) -> socket.socket:
    """What makes a UDP socket a tunnel of the kernel's; raises as :func:`session_socket`."""
    return session_socket(udp, (own, 0), (peer, 0), address)


def pppd_words(tunnel: int, session: int, *, as_lns: bool, sequenced: bool) -> tuple[str, ...]:
    """What pppd's plug-in for L2TP is told of a session whose socket is its descriptor 0. ``sequenced``: its peer wants
    a number in each data message (RFC 2661 §4.4.6)."""
    return (
        "pppol2tp", "0", *(("pppol2tp_lns_mode",) if as_lns else ()), *(("pppol2tp_send_seq",) if sequenced else ()),
        "pppol2tp_tunnel_id", f"{tunnel}", "pppol2tp_session_id", f"{session}",
    )  # fmt: skip


def channel_of(descriptor: int) -> int:
    """The PPP channel of a session, or of a terminal in N_PPP. From then on a session's channel keeps what comes, until
    somebody reads it (pppox_ioctl, ppp_input)."""
    return int(struct.unpack("i", fcntl.ioctl(descriptor, PPPIOCGCHAN, bytes(4)))[0])


def attached(channel: int) -> int:
    """A handle on a channel, to be closed by the caller."""
    handle = os.open("/dev/ppp", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(handle, PPPIOCATTCHAN, struct.pack("i", channel))
    except BaseException:
        os.close(handle)
        raise
    return handle


def peer_speaks(channel: int, seconds: float) -> bool:
    """Whether something is there for whoever will attach the channel, or comes within so many seconds; it stays."""
    handle = attached(channel)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        return bool(poller.poll(seconds * 1000))
    finally:
        os.close(handle)


def bridged(channel: int, other: int) -> int:
    """Join two channels inside the kernel: what comes in at one goes out at the other. A handle on the first, whose
    closing takes them apart. Raises CannotRunError on a kernel that cannot (before Linux 5.11), OSError as the kernel
    does."""
    handle = attached(channel)
    try:
        fcntl.ioctl(handle, PPPIOCBRIDGECHAN, struct.pack("i", other))
    except OSError as error:
        os.close(handle)
        if error.errno == errno.ENOTTY:
            raise CannotRunError("this kernel does not bridge PPP channels", "Linux 5.11 or later") from error
        raise
    return handle


class Bridge:
    """A modem's terminal joined to a session. Raises as :func:`bridged`."""

    def __init__(self, terminal: int, session: socket.socket) -> None:
        self._stack = contextlib.ExitStack()
        try:
            fcntl.ioctl(terminal, TIOCSETD, struct.pack("i", N_PPP))
            self._stack.callback(self._give_back, terminal)
            there = channel_of(session.fileno())
            self._modem = bridged(channel_of(terminal), there)
            self._stack.callback(os.close, self._modem)
        except BaseException:
            self._stack.close()
            raise

    @staticmethod
    def _give_back(terminal: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(terminal, TIOCSETD, struct.pack("i", 0))

    def fileno(self) -> int:
        """Tells by POLLHUP that the modem's line is gone: its terminal never wakes poll while it is PPP's."""
        return self._modem

    def set_maps(self, send: int, receive: int) -> None:
        """Which control characters the modem's side is sent escaped, and which of its own it must have (SLI)."""
        fcntl.ioctl(self._modem, PPPIOCSASYNCMAP, struct.pack("I", send))
        fcntl.ioctl(self._modem, PPPIOCSRASYNCMAP, struct.pack("I", receive))

    def close(self) -> None:
        """Take them apart; the terminal is a plain one again."""
        self._stack.close()
