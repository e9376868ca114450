"""Links, addresses, routes and rules by netlink: the part of pyroute2 that the rig uses."""

import contextlib
import errno
from collections.abc import Iterator

from rig.drivers.base.errors import InterfaceGoneError
from rig.drivers.base.without_init import bare_package

bare_package("pyroute2")

from pyroute2.iproute.linux import IPRoute  # noqa: E402 - only now
from pyroute2.netlink.exceptions import NetlinkError  # noqa: E402

__all__ = ["IPRoute", "NetlinkError", "interface"]

GONE = (errno.ENODEV, errno.ENETDOWN)
"""What the kernel says of an interface that is no more, and of one that a daemon has taken down and is about to
remove."""


@contextlib.contextmanager
def interface(link: IPRoute, name: str) -> Iterator[int]:
    """An interface's index, to do something with it. Raises InterfaceGoneError where it is not there, or goes
    meanwhile."""
    found = link.link_lookup(ifname=name)
    if not found:
        raise InterfaceGoneError(f"{name}: there is no such network interface any more")
    try:
        yield found[0]
    except NetlinkError as error:
        if error.code in GONE:
            raise InterfaceGoneError(f"{name}: the network interface went away while it was set up") from error
        raise
