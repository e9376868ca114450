"""Packets taken apart and put together: the part of dpkt that the rig uses, as ``dpkt``.

dpkt's __init__ also tells Ethernet and IP which module takes which payload apart; here they are told of what the rig
looks into. Any other payload is left as bytes.
"""

from rig.drivers.base.without_init import bare_package

bare_package("dpkt")

import dpkt  # noqa: E402 - only now
import dpkt.dns  # noqa: E402
import dpkt.dpkt  # noqa: E402
import dpkt.ethernet  # noqa: E402
import dpkt.icmp  # noqa: E402
import dpkt.ip  # noqa: E402
import dpkt.pcap  # noqa: E402
import dpkt.pcapng  # noqa: E402
import dpkt.sctp  # noqa: E402
import dpkt.tcp  # noqa: E402
import dpkt.udp  # noqa: E402

dpkt.ethernet.Ethernet.set_type(dpkt.ethernet.ETH_TYPE_IP, dpkt.ip.IP)
for number, payload in (
    (dpkt.ip.IP_PROTO_ICMP, dpkt.icmp.ICMP),
    (dpkt.ip.IP_PROTO_TCP, dpkt.tcp.TCP),
    (dpkt.ip.IP_PROTO_UDP, dpkt.udp.UDP),
    (dpkt.ip.IP_PROTO_SCTP, dpkt.sctp.SCTP),
):
    dpkt.ip.IP.set_proto(number, payload)

__all__ = ["dpkt"]
