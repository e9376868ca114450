"""What a name server says: the gateway's own, which is to know the names of its services, and nobody else's (§3.1)."""

from __future__ import annotations

import random
import secrets
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

from rig.config.destinations import DNS
from rig.drivers.base.dissection import dpkt
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.namespace import NetworkNamespace
from rig.probes.probe import Expected, Outcome, Probe, Seen, Side
from rig.probes.reaching import ANSWER_SECONDS

STRANGERS = "a stranger's name"
"""The category: who has a domain of his own, and is asked about it, is told what the caller says in the name, and
answers what he likes; no address of his is ever reached."""
DOMAINS = ("com", "example.net", "in-addr.arpa")
FIRST = 44001
NO_NAME, SILENT = "no such name", "no answer"


def ask_name(namespace: NetworkNamespace, server: IPv4Address, name: str, patience: float = ANSWER_SECONDS) -> str:
    """What a name server answers for an A record, or how it failed. Asked up to three times, as a resolver does."""
    query = _question(secrets.randbelow(65536), name)
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
                return found[0] if found else NO_NAME
    return SILENT


def _question(number: int, name: str) -> dpkt.dns.DNS:
    return dpkt.dns.DNS(id=number, qd=[dpkt.dns.DNS.Q(name=name, type=dpkt.dns.DNS_A)])


def strangers_names(namespace: NetworkNamespace, server: IPv4Address, seed: int) -> Iterator[Outcome]:
    """A name server asked for names that nobody has: it is to know none of them. One that is silent is asked once."""
    drawn = random.Random(seed)  # noqa: S311 - drawn again from the same seed
    for number, domain in enumerate(DOMAINS, FIRST):
        name = f"rig-{drawn.randrange(1 << 48):012x}.{domain}"
        probe = Probe(
            number, STRANGERS, f"{name} at {server}", Side.CALLER, Expected.DENIED, (bytes(_question(0, name)),)
        )
        said = ask_name(namespace, server, name)
        yield Outcome(probe, {NO_NAME: Seen.REFUSED, SILENT: Seen.SILENCE}.get(said, Seen.ANSWERED))
        if said == SILENT:
            break
