"""A machine of somebody else's, at a network interface of this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import IPv4Interface

from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.netlink import IPRoute
from rig.run.owner import Owner


@contextmanager
def at_the_interface(owner: Owner, role: str, address: IPv4Interface) -> Iterator[NetworkNamespace]:
    """At the other end of this machine's interface dut0, with an address on its own, eth0."""
    namespace = owner.namespace(role)
    with closing(IPRoute()) as link, namespace.path.open("rb") as inside:
        link.link("add", ifname="dut0", kind="veth", peer={"ifname": "eth0", "net_ns_fd": inside.fileno()})
    namespace.set_up("eth0")
    namespace.add_address("eth0", address)
    try:
        yield namespace
    finally:
        with closing(IPRoute()) as link:
            link.link("del", index=link.link_lookup(ifname="dut0")[0])
