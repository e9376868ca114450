"""Links, addresses, routes and rules by netlink: the part of pyroute2 that the rig uses."""

from rig.drivers.base.without_init import bare_package

bare_package("pyroute2")

from pyroute2.iproute.linux import IPRoute  # noqa: E402 - only now
from pyroute2.netlink.exceptions import NetlinkError  # noqa: E402

__all__ = ["IPRoute", "NetlinkError"]
