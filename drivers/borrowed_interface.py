"""A network interface of this machine, moved into a network namespace of the run's, and brought back."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Interface
from pathlib import Path

from drivers.errors import UsageError
from drivers.namespace import NetworkNamespace
from drivers.netlink import IPRoute, NetlinkError

HERE = Path("/proc/self/ns/net")


class BorrowedInterface:
    """``name`` moved into ``namespace``, with ``address``. :meth:`stop` brings it back with the addresses it had.

    A run that is killed loses nothing but those: with the namespace the kernel moves a real interface back itself.
    Raises UsageError for one that is not there, or that carries this machine's default route.
    """

    def __init__(self, name: str, namespace: NetworkNamespace, address: IPv4Interface) -> None:
        self._name = name
        self._namespace = namespace
        with contextlib.closing(IPRoute()) as link:
            found = link.link_lookup(ifname=name)
            if not found:
                there = ", ".join(sorted(each.get_attr("IFLA_IFNAME") for each in link.get_links()))
                raise UsageError(f"network interface {name}: there is none; there are {there}")
            if any(route.get_attr("RTA_OIF") == found[0] for route in link.get_default_routes()):
                raise UsageError(
                    f"network interface {name} carries this machine's default route, and would take it away",
                    "give the rig an interface of its own, or a VLAN or macvlan on this one",
                )
            self._was_up = link.get_links(found[0])[0]["state"] == "up"
            self._addresses = [
                (each.get_attr("IFA_LOCAL"), each["prefixlen"]) for each in link.get_addr(index=found[0], family=2)
            ]
            with namespace.path.open("rb") as target:
                link.link("set", index=found[0], net_ns_fd=target.fileno())
        try:
            namespace.add_address(name, address)
            namespace.set_up(name)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Bring it back; nothing happens for one that is no more."""
        with HERE.open("rb") as home, self._namespace.netlink() as link:
            found = link.link_lookup(ifname=self._name)
            if not found:
                return
            link.link("set", index=found[0], net_ns_fd=home.fileno())
        with contextlib.closing(IPRoute()) as link, contextlib.suppress(NetlinkError):
            index = link.link_lookup(ifname=self._name)[0]
            for address, length in self._addresses:
                link.addr("add", index=index, address=address, prefixlen=length)
            link.link("set", index=index, state="up" if self._was_up else "down")
