"""The kernel's connection tracking table: forget the flows of one address."""

from __future__ import annotations

import contextlib
import errno
from ipaddress import IPv4Address
from typing import Any

from pyroute2 import NetlinkError
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket

from drivers.namespace import NetworkNamespace


def flush_address(namespace: NetworkNamespace, address: IPv4Address) -> int:
    """Forget every flow from or to ``address``; how many there were.

    So that a reply to the last caller with this address never reaches the next one (the paper's §3.1).
    """
    forgotten = 0
    with namespace.entered(), contextlib.closing(NFCTSocket()) as socket:
        for flow in [flow for flow in socket.dump() if str(address) in _addresses(flow)]:
            try:
                socket.entry("del", tuple_orig=_plain(flow.get_attr("CTA_TUPLE_ORIG")))
                forgotten += 1
            except NetlinkError as error:
                if error.code != errno.ENOENT:  # it timed out by itself meanwhile
                    raise
    return forgotten


def _plain(nested: Any) -> dict[str, Any]:
    """A flow's tuple, to be sent back as it came: pyroute2's own knows no protocols but TCP, UDP and ICMP."""
    attributes = [(name, _plain(value) if hasattr(value, "get_attr") else value) for name, value in nested["attrs"]]
    return {"attrs": attributes}


def _addresses(flow: Any) -> set[str]:
    found = set()
    for direction in ("CTA_TUPLE_ORIG", "CTA_TUPLE_REPLY"):
        ip = flow.get_attr(direction).get_attr("CTA_TUPLE_IP")
        found |= {ip.get_attr("CTA_IP_V4_SRC"), ip.get_attr("CTA_IP_V4_DST")}
    return found
