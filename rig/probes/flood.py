"""A flood of half-open flows: until the gateway can keep track of no more of them, when it must not open.

What is sent is allowed, each SYN by itself: an authorized server, the assigned source. It is the number that is not.
"""

from __future__ import annotations

import contextlib
import socket

from rig.config.destinations import HTTPS
from rig.drivers.base.dissection import dpkt
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.link_end import LinkEnd
from rig.probes import packets
from rig.probes.engine import Sender
from rig.probes.making import Ground

PORTS = range(1025, 65536)
NONSENSE = b"no TLS begins like this\r\n\r\n"


def fill(ground: Ground, caller: LinkEnd, flows: int) -> None:
    """Open so many flows from the caller, halfway. Raises ProbeError when the link takes no more."""
    servers = ground.allowed.servers
    with contextlib.closing(Sender(caller)) as sender:
        for index in range(flows):
            server, port = servers[index // len(PORTS) % len(servers)], PORTS[index % len(PORTS)]
            sender.put(packets.tcp(ground.caller, server, HTTPS, 0, flags=dpkt.tcp.TH_SYN, source_port=port))


def answered(connection: socket.socket) -> bool:
    """Whether a server says anything at all to nonsense, be it that it ends the connection."""
    try:
        connection.sendall(NONSENSE)
        with waiting():
            connection.recv(1)
    except TimeoutError:
        return False
    except OSError:  # reset: that is an answer
        return True
    return True
