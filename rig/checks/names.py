"""The name service of the gateway (§3.1)."""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

from drivers.base.dissection import dpkt
from drivers.base.interruptions import waiting
from drivers.net.namespace import NetworkNamespace
from rig.checks.check import MODEMS, Surroundings, check, not_run
from rig.config.destinations import DNS
from rig.probes.reaching import ANSWER_SECONDS
from rig.verdict.verdict import CheckResult


@check("3.1", MODEMS)
def name_service(around: Surroundings) -> Iterator[CheckResult]:
    """The utility service answers names (§3.1)."""
    name, wanted = around.expect.name, around.expect.name_address
    if not name or wanted is None:
        yield not_run("name service", "", "the bench names no expect.name and expect.name-address")
        return
    if not around.up.name_servers:
        yield CheckResult("name service", name, str(wanted), "the gateway assigned no name server", False)
    for server in around.up.name_servers:
        observed = ask_name(around.namespace, server, name, around.answer_seconds)
        yield CheckResult("name service", f"{name} at {server}", str(wanted), observed, observed == str(wanted))


def ask_name(namespace: NetworkNamespace, server: IPv4Address, name: str, patience: float = ANSWER_SECONDS) -> str:
    """What a name server answers for an A record, or how it failed. Asked up to three times, as a resolver does."""
    query = dpkt.dns.DNS(id=secrets.randbelow(65536), qd=[dpkt.dns.DNS.Q(name=name, type=dpkt.dns.DNS_A)])
    with namespace.entered():
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with connection:
        connection.settimeout(patience / 3)
        connection.connect((str(server), DNS))
        for _ in range(3):
            try:
                connection.send(bytes(query))
                with waiting():
                    received = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError as error:
                return str(error.strerror)
            try:
                answer = dpkt.dns.DNS(received)
            except (dpkt.dpkt.Error, ValueError, IndexError, struct.error) as error:
                return f"an answer that cannot be read ({type(error).__name__}: {error})"
            if answer.id == query.id:
                found = [socket.inet_ntoa(record.ip) for record in answer.an if record.type == dpkt.dns.DNS_A]
                return found[0] if found else "no such name"
    return "no answer"
