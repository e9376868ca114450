"""Packets taken apart and put together: the part of dpkt that the rig uses, as ``dpkt``."""

from drivers.without_init import bare_package

bare_package("dpkt")

import dpkt  # noqa: E402 - only now
import dpkt.dns  # noqa: E402
import dpkt.dpkt  # noqa: E402
import dpkt.ethernet  # noqa: E402
import dpkt.icmp  # noqa: E402
import dpkt.ip  # noqa: E402
import dpkt.tcp  # noqa: E402
import dpkt.udp  # noqa: E402

__all__ = ["dpkt"]
