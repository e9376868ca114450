"""One end of a link, as somebody stands at it who puts whole packets on it."""

from __future__ import annotations

from dataclasses import dataclass

from rig.drivers.net.namespace import NetworkNamespace


@dataclass(frozen=True)
class LinkEnd:
    """A namespace and an interface in it, and the Ethernet address of the link's other end; none where a link has
    none."""

    namespace: NetworkNamespace
    interface: str
    other: bytes = b""
