"""What a gateway of the rig's has of a flow, from the kernel's connection tracking."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from rig.drivers.base.interruptions import waiting
from rig.drivers.net import conntrack, firewall
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.owner import Owner

CALLER, SERVER = IPv4Interface("192.0.2.2/24"), IPv4Interface("198.51.100.2/24")
RULES = """\
*filter
:FORWARD DROP
-A FORWARD -i caller0 -p tcp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
-A FORWARD -o caller0 -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
"""
LATE = 100.0
"""Milliseconds that what a caller says is on its way to the gateway."""
SECONDS = 10.0
QUICK = 12
"""TCP_QUICKACK (tcp(7))."""
LAST_ACK = "09"
"""A socket's state in /proc/net/tcp that waits for the acknowledgement of its FIN."""


@contextlib.contextmanager
def between() -> Iterator[tuple[NetworkNamespace, NetworkNamespace, NetworkNamespace]]:
    """A caller, a gateway with the rig's settings, and a server."""
    with Owner() as owner:
        caller, gateway, server = (owner.namespace(role) for role in ("caller", "gateway", "server"))
        for card, other, address in (("caller0", caller, CALLER), ("server0", server, SERVER)):
            gateway.join(card, other, "eth0")
            inside = IPv4Interface(f"{address.network[1]}/24")
            gateway.add_address(card, inside)
            other.add_address("eth0", address)
            other.add_route(IPv4Network("0.0.0.0/0"), "eth0", str(inside.ip))
        gateway.forward()
        firewall.apply(gateway, RULES)
        conntrack.settle(gateway)
        yield caller, gateway, server


def flows(namespace: NetworkNamespace) -> list[str]:
    """Those that are tracked there; what has timed out is in the kernel's count for a while more."""
    with namespace.entered():
        listed = subprocess.run(["conntrack", "-L"], capture_output=True, text=True, timeout=SECONDS, check=True)
    return listed.stdout.splitlines()


def waits_for_its_last_ack(namespace: NetworkNamespace) -> bool:
    with namespace.entered():
        lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[3] == LAST_ACK for line in lines)


@pytest.mark.paper("3.1")
def test_an_ack_of_data_that_crosses_a_fin_does_not_end_the_flow_for_the_one_of_the_fin() -> None:
    """Seen with Linux 6.12 at both ends: the gateway had forgotten the flow, and took the last ACK for a new one's."""
    with between() as (caller, gateway, server):
        caller.impair("eth0", delay=LATE, loss=0, reorder=0)
        with server.entered():
            listening = socket.create_server((str(SERVER.ip), 443))
        with caller.entered():
            calling = socket.socket()
        with listening, calling:
            calling.setsockopt(socket.IPPROTO_TCP, QUICK, 1)
            calling.settimeout(SECONDS)
            calling.connect((str(SERVER.ip), 443))
            serving, _ = listening.accept()
            calling.shutdown(socket.SHUT_WR)
            with serving:
                assert serving.recv(1) == b""
                serving.sendall(b"data")
                with waiting():
                    time.sleep(LATE / 4000)  # the ACK of that is on its way when the FIN goes
            while calling.recv(100):
                pass
        end = time.monotonic() + SECONDS
        while waits_for_its_last_ack(server) or flows(gateway):
            assert time.monotonic() < end, flows(gateway) or "the server still waits"
            with waiting():
                time.sleep(0.05)
