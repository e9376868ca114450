"""Network namespaces: made, joined by Ethernet, given addresses and routes, removed. All by netlink."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from rig.drivers.base import syscalls
from rig.drivers.base.errors import InterfaceGoneError
from rig.drivers.net import home_network, netlink
from rig.drivers.net.netlink import IPRoute

SIOCGIFMTU = 0x8921
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
RTMGRP_LINK = 1
SIOCGIFHWADDR = 0x8927
SIOCETHTOOL, ETHTOOL_STXCSUM, ETHTOOL_SSG = 0x8946, 0x17, 0x19
NUD_PERMANENT = 0x80
PLAIN_QUEUES = ("pfifo_fast", "pfifo", "bfifo")
CABLE_SECONDS = 5.0
"""In which both ends of a cable that was just laid know of each other: the kernel looks once a second at the latest."""
FOLDER = Path("/run/netns")
OWN = Path("/proc/thread-self/ns/net")
"""The calling thread's."""


class NetworkNamespace:
    """A named network namespace, seen by ``ip netns`` as well. Raises OSError as the kernel does, and
    InterfaceGoneError where an interface that something is done to is not there, or goes meanwhile."""

    def __init__(self, name: str) -> None:
        home_network.remember()
        self.name = name

    @property
    def path(self) -> Path:
        return FOLDER / self.name

    def create(self) -> None:
        """Make it, with its loopback up. As `ip netns` does: a mount of the namespace on a file of its name."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o444, exist_ok=False)
        with OWN.open("rb") as before:
            syscalls.unshare(syscalls.CLONE_NEWNET)
            try:
                syscalls.mount(str(OWN), str(self.path), "", syscalls.MS_BIND)
                syscalls.set_up("lo")
            finally:
                syscalls.setns(before.fileno(), syscalls.CLONE_NEWNET)

    def remove(self) -> None:
        """Remove it and every link in it; nothing happens when it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            with contextlib.suppress(OSError):  # a file that nothing is mounted on: its maker was killed
                syscalls.unmount(str(self.path), syscalls.MNT_DETACH)
            self.path.unlink()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Let the calling thread be inside: sockets made and processes started there belong to it."""
        with self.path.open("rb") as target, home_network.inside(target.fileno()):
            yield

    def enter_for_good(self) -> None:
        """In a child about to become another program: run inside, and die with the parent."""
        syscalls.die_with_parent(signal.SIGTERM)
        with self.path.open("rb") as inside:
            syscalls.setns(inside.fileno(), syscalls.CLONE_NEWNET)

    def end_processes(self) -> list[int]:
        """Kill whatever runs inside; their numbers. For what a run that was killed has left: most programs die with it,
        and one that has become another user since does not."""
        found = []
        with contextlib.suppress(OSError):
            inode = self.path.stat().st_ino
            for entry in Path("/proc").glob("[0-9]*/ns/net"):
                with contextlib.suppress(OSError):
                    if entry.stat().st_ino == inode:
                        pid = int(entry.parts[2])
                        os.kill(pid, signal.SIGKILL)
                        found.append(pid)
        return found

    @contextlib.contextmanager
    def netlink(self) -> Iterator[IPRoute]:
        """A route netlink socket inside."""
        with self.entered(), contextlib.closing(IPRoute()) as link:
            yield link

    @contextlib.contextmanager
    def _at(self, interface: str) -> Iterator[tuple[IPRoute, int]]:
        """One of its interfaces, by its index. Raises InterfaceGoneError where it is not there, or not any more."""
        with self.netlink() as link, netlink.interface(link, interface) as index:
            yield link, index

    def join(self, near: str, other: NetworkNamespace, far: str) -> None:
        """Lay an Ethernet cable (a veth pair): ``near`` is its end here, ``far`` the one in ``other``."""
        with other.path.open("rb") as target, self.netlink() as link:
            peer = {"ifname": far, "net_ns_fd": target.fileno()}
            link.link("add", ifname=near, kind="veth", peer=peer)
        self.set_up(near)
        other.set_up(far)
        for namespace, end in ((self, near), (other, far)):
            namespace._carrier_is(True, end, CABLE_SECONDS)

    def set_up(self, interface: str) -> None:
        with self._at(interface) as (link, index):
            link.link("set", index=index, state="up")

    def leave_as_sent(self, interface: str) -> None:
        """Have packets leave with their checksums in them and in one piece of memory, as over a real cable. A veth
        hands on what the sender's kernel has left undone, and where channels of PPP are joined (PPPIOCBRIDGECHAN) it
        stays so: of two L2TP tunnels the first one's sum is taken for the second's, and what lies in several pieces, as
        PPP interfaces of Linux 7.3 send it, does not come whole onto a serial line.
        """
        for setting in (ETHTOOL_STXCSUM, ETHTOOL_SSG):
            turned_off = ctypes.create_string_buffer(struct.pack("II", setting, 0))
            with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                request = struct.pack("16sP", interface.encode(), ctypes.addressof(turned_off))
                fcntl.ioctl(any_socket, SIOCETHTOOL, request)

    def leave_ipv6(self) -> None:
        """Speak none on any interface, not even to find neighbours: for who only passes frames on."""
        if has_ipv6():
            with self.entered():
                Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")

    def use_plain_queue(self, interface: str, packets: int = 3) -> None:
        """Have an interface queue in order, and drop only what it has no room for.

        What most distributions have instead (fq_codel) throws packets away that wait long on a slow line, and nobody is
        told: they would seem to have been dropped by whoever is at the other end.
        """
        if _default_queue() in PLAIN_QUEUES:
            return
        with self._at(interface) as (link, index):
            link.tc("replace", "pfifo", index, limit=packets)

    def queue(self, interface: str) -> str:
        """The kind of queue that an interface has."""
        with self._at(interface) as (link, index):
            return next(str(each.get_attr("TCA_KIND")) for each in link.get_qdiscs(index) if each["index"] == index)

    def add_address(self, interface: str, *addresses: IPv4Interface) -> None:
        """One that is there already stays."""
        self._address("replace", interface, *addresses)

    def remove_address(self, interface: str, address: IPv4Interface) -> None:
        self._address("del", interface, address)

    def _address(self, action: str, interface: str, *addresses: IPv4Interface) -> None:
        with self._at(interface) as (link, index):
            for address in addresses:
                link.addr(action, index=index, address=str(address.ip), prefixlen=address.network.prefixlen)

    def add_neighbour(self, interface: str, address: IPv6Address, hardware: bytes) -> None:
        """Have an address found at an Ethernet address, without asking."""
        with self._at(interface) as (link, index):
            written = hardware.hex(":")
            link.neigh("replace", dst=str(address), lladdr=written, ifindex=index, state=NUD_PERMANENT, family=10)

    def add_route(self, network: IPv4Network | IPv6Network, interface: str, gateway: str | None = None) -> None:
        with self._at(interface) as (link, index):
            via = {} if gateway is None else {"gateway": gateway}
            link.route("replace", dst=str(network), oif=index, **via)

    def impair(self, interface: str, *, delay: float, loss: float, reorder: float) -> None:
        """Make a link worse in the direction out of here (netem): milliseconds, and percent of the packets."""
        with self._at(interface) as (link, index):
            options: dict[str, object] = {"delay": round(delay * 1000), "loss": loss}
            if reorder:
                options["prob_reorder"] = reorder
            link.tc("add", "netem", index, **options)

    def addresses(self, interface: str) -> list[str]:
        """The IPv4 addresses that an interface holds; none when there is no such interface."""
        try:
            with self._at(interface) as (link, index):
                messages = list(link.get_addr(index=index, family=2))
        except InterfaceGoneError:
            return []
        return [message.get("local") or message.get_attr("IFA_LOCAL") for message in messages]

    def own_addresses(self) -> list[IPv4Address]:
        """The IPv4 addresses of all of its interfaces: what is for one of them is for itself."""
        with self.netlink() as link:
            return [IPv4Address(message.get_attr("IFA_LOCAL")) for message in link.get_addr(family=socket.AF_INET)]

    def mtu(self, interface: str) -> int:
        """An interface's MTU in bytes, by ioctl: a netlink socket takes fifty times as long to set up."""
        answer = self._asked(interface, SIOCGIFMTU, struct.pack("16si", interface.encode(), 0))
        return int(struct.unpack("16si", answer)[1])

    def hardware_address(self, interface: str) -> bytes:
        """An interface's Ethernet address."""
        return self._asked(interface, SIOCGIFHWADDR, struct.pack("16sH14x", interface.encode(), 0))[18:24]

    def has_carrier(self, interface: str) -> bool:
        """Whether an interface is up and its other end, too. Not, where there is no such interface."""
        try:
            answer = self._asked(interface, SIOCGIFFLAGS, struct.pack("16s24x", interface.encode()))
        except InterfaceGoneError:
            return False
        return bool(struct.unpack_from("H", answer, 16)[0] & IFF_RUNNING)

    def _asked(self, interface: str, request: int, given: bytes) -> bytes:
        """What an ioctl says of an interface."""
        with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            try:
                return fcntl.ioctl(asker, request, given)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise InterfaceGoneError(f"{interface}: there is no such network interface any more") from error
                raise

    def loses_carrier(self, interface: str, seconds: float) -> bool:
        """Wait so many seconds for an interface to lose its other end; whether it has."""
        return self._carrier_is(False, interface, seconds)

    def _carrier_is(self, wanted: bool, interface: str, seconds: float) -> bool:
        """Whether it is, by then: the kernel tells of it a while after it is so."""
        end = time.monotonic() + seconds
        with self.entered(), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
            link.bind((0, RTMGRP_LINK))
            while self.has_carrier(interface) is not wanted:
                left = end - time.monotonic()
                if left <= 0 or not select.select([link], [], [], left)[0]:
                    return False
                link.recv(65536)
        return True

    def forward(self) -> None:
        """Let it route packets from one interface to another. No reverse-path filter: a fence must do it."""
        with self.entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            if has_ipv6():
                Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
            for name in ("all", "default"):
                Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text("0")


def has_ipv6() -> bool:
    """Whether this kernel speaks IPv6 at all: where it does not, none can pass."""
    return Path("/proc/sys/net/ipv6").is_dir()


def existing(prefix: str) -> list[str]:
    """Names of the namespaces that begin with ``prefix``."""
    if not FOLDER.is_dir():
        return []
    return sorted(entry.name for entry in FOLDER.iterdir() if entry.name.startswith(prefix))


def _default_queue() -> str:
    """The queue that new interfaces get: the machine's, and shown in its first namespace alone. "" where it is not."""
    with home_network.at_home(), contextlib.suppress(FileNotFoundError):
        return Path("/proc/sys/net/core/default_qdisc").read_text().strip()
    return ""
