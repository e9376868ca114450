"""A network interface of this machine, moved into a network namespace of the run's, and brought back."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any

from rig.drivers.base.errors import UsageError
from rig.drivers.net import home_network
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.netlink import IPRoute, NetlinkError

MARK = "borrowed by rig:"
"""In a borrowed interface's alias, before what was there: by it a run that was killed is known to have had it."""
FOREVER = 2**32 - 1


@dataclass(frozen=True)
class _Address:
    """One that the interface had. ``preferred`` and ``valid``: seconds that are left to it, FOREVER for most."""

    address: str
    length: int
    preferred: int
    valid: int

    @classmethod
    def of(cls, message: Any) -> _Address:
        left = message.get_attr("IFA_CACHEINFO") or {}
        lifetimes = (int(left.get(name, FOREVER)) for name in ("ifa_preferred", "ifa_valid"))
        return cls(message.get_attr("IFA_LOCAL"), message["prefixlen"], *lifetimes)

    def options(self, gone: float) -> dict[str, Any]:
        """For the netlink message that adds it again, ``gone`` seconds later."""
        made: dict[str, Any] = {"address": self.address, "prefixlen": self.length}
        if self.valid != FOREVER:
            made["valid_lft"] = max(1, self.valid - round(gone))
            made["preferred_lft"] = FOREVER if self.preferred == FOREVER else max(0, self.preferred - round(gone))
        return made


class BorrowedInterface:
    """``name`` moved into ``namespace``, with ``address`` or none. :meth:`stop` brings it back with those it had.

    Of a run that is killed :func:`give_back` does that, but for the addresses: with its namespace the kernel moves a
    real interface back by itself, and destroys a VLAN or a macvlan. Raises UsageError for one that is not there, or
    that carries this machine's default route.
    """

    def __init__(self, name: str, namespace: NetworkNamespace, address: IPv4Interface | None) -> None:
        self._name = name
        self._namespace = namespace
        self._since = time.monotonic()
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
            before = link.get_links(found[0])[0]
            self._was_up = before["state"] == "up"
            self._addresses = [_Address.of(each) for each in link.get_addr(index=found[0], family=2)]
            link.link("set", index=found[0], ifalias=MARK + (before.get_attr("IFLA_IFALIAS") or ""))
            with namespace.path.open("rb") as target:
                link.link("set", index=found[0], net_ns_fd=target.fileno())
        try:
            if address is not None:
                namespace.add_address(name, address)
            namespace.set_up(name)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Bring it back; nothing happens for one that is no more."""
        if self._name not in give_back(self._namespace):
            return
        with contextlib.closing(IPRoute()) as link, contextlib.suppress(NetlinkError):
            index = link.link_lookup(ifname=self._name)[0]
            for address in self._addresses:
                link.addr("add", index=index, **address.options(time.monotonic() - self._since))
            link.link("set", index=index, state="up" if self._was_up else "down")


def give_back(namespace: NetworkNamespace) -> list[str]:
    """Move the borrowed interfaces that are in a namespace back to where this program was started; their names."""
    found = []
    with namespace.netlink() as link:
        for each in link.get_links():
            alias = each.get_attr("IFLA_IFALIAS") or ""
            if alias.startswith(MARK):
                link.link("set", index=each["index"], ifalias=alias.removeprefix(MARK))
                link.link("set", index=each["index"], net_ns_fd=home_network.remember())
                found.append(str(each.get_attr("IFLA_IFNAME")))
    return found
