"""Checks over a session that is up: each says what it expected, what it observed, and whether that holds.

A check that cannot be run says so and holds nothing. Where the far side can be watched (an emulated bench),
"dropped" means that the packet did not arrive there; silence alone is never taken for it.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import secrets
import select
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from drivers.base.dissection import dpkt
from drivers.base.interruptions import waiting
from drivers.net.namespace import NetworkNamespace
from drivers.ppp.pppd import PppUp
from drivers.tls import client as tls
from drivers.tls.policy import Policy, describe
from rig.config.bench import Bench
from rig.config.bench_files import load_destinations, load_tls_policy
from rig.config.destinations import DNS, HTTPS, Destinations
from rig.console import firewall as console_firewall
from rig.run.control import Control
from rig.verdict.verdict import CheckResult

if TYPE_CHECKING:
    from rig.links.near_end import NearEnd
    from rig.parts.rack import FarEnd

ANSWER_SECONDS = 15.0
"""For an answer that should come: a TLS handshake takes some seconds at 2,400 bit/s."""
ACCEPTED = "accepted"
SILENCE_SECONDS = 3.2
"""For one that should not: TCP repeats its SYN after one and three seconds, so this sees three tries."""


@dataclass(frozen=True)
class Surroundings:
    """What the checks work with. ``hosts``: the service hosts' capture, where the far side can be watched;
    ``line_seconds``: what a slow line takes beyond the time that each wait has (NearEnd.line_seconds)."""

    bench: Bench
    allowed: Destinations
    namespace: NetworkNamespace
    up: PppUp
    ca: str
    hosts: Control | None
    line_seconds: float = 0.0

    @classmethod
    def of(cls, bench: Bench, near: NearEnd, up: PppUp, far_end: FarEnd | None) -> Surroundings:
        """Those of a session that is up. ``far_end``: the rig's own, where it is."""
        ca, hosts = (str(far_end.ca), far_end.hosts) if far_end else (bench.expect.ca, None)
        return cls(bench, load_destinations(bench), near.namespace, up, ca, hosts, near.line_seconds())

    @property
    def answer_seconds(self) -> float:
        """For an answer that should come."""
        return ANSWER_SECONDS + self.line_seconds


Check = Callable[[Surroundings], Iterator[CheckResult]]


def own_address(around: Surroundings) -> Iterator[CheckResult]:
    """The assigned address is one of the gateway's pool, and the PPP interface holds it (§3.1)."""
    local = around.up.local
    held = around.namespace.addresses(around.up.interface)
    yield CheckResult(
        "own address on the PPP interface", around.up.interface, str(local), ", ".join(held) or "none",
        str(local) in held,
    )  # fmt: skip
    pool = around.bench.expect.pool or (around.bench.lig.pool if around.bench.lig else None)
    if pool is None:
        yield not_run("own address within the pool", str(local), "the bench names no expect.pool")
    else:
        yield CheckResult("own address within the pool", str(local), f"in {pool}", str(local), local in pool)


def authentication(around: Surroundings) -> Iterator[CheckResult]:
    """The gateway has the caller say who it is, by PAP (§3.1): one that lets anybody in is found, though it works."""
    yield asked_who_it_is(around.up, "PAP")


def asked_who_it_is(up: PppUp, expected: str) -> CheckResult:
    """Whether the session was authenticated by the protocol that is expected, and by no weaker one."""
    observed = "nobody was asked who calls" if up.auth == "none" else up.auth
    return CheckResult("authentication of the caller", str(up.peer), expected, observed, up.auth == expected)


def name_service(around: Surroundings) -> Iterator[CheckResult]:
    """The utility service answers names (§3.1)."""
    name, wanted = around.bench.expect.name, around.bench.expect.name_address
    if not name or wanted is None:
        yield not_run("name service", "", "the bench names no expect.name and expect.name-address")
        return
    if not around.up.dns:
        yield CheckResult("name service", name, str(wanted), "the gateway assigned no name server", False)
    for server in around.up.dns:
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
            except (dpkt.Error, ValueError, IndexError, struct.error) as error:
                return f"an answer that cannot be read ({type(error).__name__}: {error})"
            if answer.id == query.id:
                found = [socket.inet_ntoa(record.ip) for record in answer.an if record.type == dpkt.dns.DNS_A]
                return found[0] if found else "no such name"
    return "no answer"


def authorized_servers(around: Surroundings) -> Iterator[CheckResult]:
    """Each authorized server of the region takes a POST over TLS on port 443 (§2.1.1, §5.1), and that TLS is
    acceptable (§3.2)."""
    name, as_policy = "TLS POST to an authorized server", f"TLS as {around.bench.expect.tls} has it"
    policy = load_tls_policy(around.bench)
    for server in around.allowed.servers:
        target = f"{server}:{HTTPS}"
        if not around.ca:
            yield not_run(name, target, "the bench names no expect.ca to trust")
            continue
        observed, agreed = post(around, server, policy)
        yield CheckResult(name, target, ACCEPTED, observed, observed.startswith(ACCEPTED))
        if agreed is None:
            yield not_run(as_policy, target, "there was no handshake")
            continue
        unacceptable = agreed.unacceptable(policy)
        said = "; ".join([str(agreed), *unacceptable])
        yield CheckResult(as_policy, target, describe(policy), said, not unacceptable, msgspec.to_builtins(agreed))


def post(around: Surroundings, server: IPv4Address, policy: Policy) -> tuple[str, tls.Agreed | None]:
    """POST something over TLS: ACCEPTED when what came back is what was sent, otherwise what happened; and what TLS was
    agreed, where any was. What a server that is not the rig's own says is its own: any HTTP answer will do."""
    sent = f"rig {secrets.token_hex(16)}"
    agreed = None
    plain = None
    try:
        with around.namespace.entered(), waiting():
            plain = socket.create_connection((str(server), HTTPS), around.answer_seconds)
        with waiting():
            secured, agreed = tls.secure(plain, policy, Path(around.ca), server)
            with contextlib.closing(secured):
                return _post_over(secured, server, sent, own=around.hosts is not None), agreed
    except TimeoutError:
        return "no answer", agreed
    except (OSError, http.client.HTTPException) as error:
        return str(error), agreed
    finally:
        if plain is not None:
            plain.close()


def _post_over(secured: Any, server: IPv4Address, sent: str, *, own: bool) -> str:
    connection = http.client.HTTPConnection(str(server), HTTPS)
    connection.sock = secured
    connection.request("POST", "/", body=sent, headers={"Content-Type": "text/plain"})
    answer = connection.getresponse()
    body = answer.read()
    if not own:
        return f"{ACCEPTED}: HTTP status {answer.status}"
    if answer.status != http.client.OK:
        return f"HTTP status {answer.status}"
    with contextlib.suppress(ValueError, KeyError):
        if json.loads(body)["received"] == sent:
            return ACCEPTED
    return "an answer that is not what was sent"


def unauthorized_host(around: Surroundings) -> Iterator[CheckResult]:
    """A host that is not in the fence's list is not reached (§2.1.1)."""
    host = around.bench.expect.unauthorized_host
    name, target = "unauthorized host", f"{host}:{HTTPS}"
    if host is None:
        yield not_run(name, "", "the bench names no expect.unauthorized-host")
        return
    if around.hosts is None:
        answer = connect(around.namespace, host, SILENCE_SECONDS + around.line_seconds)
        if answer == "no answer":
            yield not_run(name, target, "no answer, and the far side cannot be watched: silence proves nothing")
        else:
            yield CheckResult(name, target, "silent", answer, False)
        return
    # A good connection follows over the same line: by the time that it is open, whatever the first packet meets has
    # met it, and what would be said of it has been said.
    with begun(around.namespace, host) as attempt:
        follower = connect(around.namespace, around.allowed.servers[0], around.answer_seconds)
        answer = answered(attempt)
    arrived = around.hosts.ask("arrivals", destination=str(host))
    if arrived:
        yield CheckResult(name, target, "silent", f"{answer}; {len(arrived)} packets arrived there", False)
    elif follower != "open":
        yield not_run(name, target, f"the connection that should follow it found {follower}")
    else:
        yield CheckResult(name, target, "silent", f"{answer}; nothing arrived there", answer == "no answer")


@contextlib.contextmanager
def begun(namespace: NetworkNamespace, host: IPv4Address) -> Iterator[socket.socket]:
    """A connection to TCP 443 whose first packet is sent, and that nobody waits for."""
    with namespace.entered():
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with attempt:
        attempt.setblocking(False)
        with contextlib.suppress(OSError):  # see answered()
            attempt.connect((str(host), HTTPS))
        yield attempt


def answered(attempt: socket.socket) -> str:
    """What has come of a connection until now, in the words of :func:`connect`."""
    if not select.select([], [attempt], [], 0)[1]:
        return "no answer"
    number = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number == errno.ECONNREFUSED:
        return "refused"
    return os.strerror(number) if number else "open"


def connect(namespace: NetworkNamespace, host: IPv4Address, patience: float = ANSWER_SECONDS) -> str:
    """Try to open TCP 443 for so many seconds: "open", "refused", "no answer", or the kernel's own word."""
    with namespace.entered():
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with attempt:
        attempt.settimeout(patience)
        try:
            with waiting():
                attempt.connect((str(host), HTTPS))
        except TimeoutError:
            return "no answer"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            return str(error.strerror)
    return "open"


def unauthorized_source(around: Surroundings) -> Iterator[CheckResult]:
    """A packet whose source is not the assigned address does not pass the gateway (§3.1).

    Its source is the pool's next address, its destination an authorized server: only the source is wrong.
    A good connection to the same server follows it over the same line, so that by its end the packet has
    either arrived or been dropped.
    """
    name, server = "unauthorized source address", around.allowed.servers[0]
    source = around.up.local + 1
    target = f"{source} to {server}:{HTTPS}"
    if around.hosts is None:
        yield not_run(name, target, "the far side cannot be watched, and silence proves nothing here")
        return
    for port in (40001, 40002, 40003):
        send_raw(around.namespace, syn(source, server, port))
    follower = connect(around.namespace, server, around.answer_seconds)
    arrived = around.hosts.ask("arrivals", source=str(source), destination=str(server))
    if follower != "open":
        yield not_run(name, target, f"the connection that should follow it found {follower}")
        return
    observed = f"{len(arrived)} of 3 packets arrived" if arrived else "dropped: none of 3 packets arrived"
    yield CheckResult(name, target, "dropped", observed, not arrived)


def origin(around: Surroundings) -> Iterator[CheckResult]:
    """Connections always originate from the near end (§2.1.1): nobody has tried to open one to it."""
    opened = console_firewall.opened_from_outside(around.namespace)
    observed = f"{opened} attempts" if opened else "none"
    yield CheckResult("connections opened from outside", str(around.up.local), "none", observed, not opened)


def syn(source: IPv4Address, destination: IPv4Address, source_port: int) -> bytes:
    """A TCP SYN to port 443 with any source address."""
    segment = dpkt.tcp.TCP(sport=source_port, dport=HTTPS, flags=dpkt.tcp.TH_SYN, seq=secrets.randbits(32), win=65535)
    packet = dpkt.ip.IP(src=source.packed, dst=destination.packed, p=dpkt.ip.IP_PROTO_TCP, data=segment)
    packet.len = len(packet)
    return bytes(packet)


def send_raw(namespace: NetworkNamespace, packet: bytes) -> None:
    """Send a whole IP packet by the namespace's own routes."""
    with namespace.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


def not_run(name: str, target: str, why: str) -> CheckResult:
    return CheckResult(name, target, "", f"not run: {why}", None)


ALL: tuple[Check, ...] = (
    authentication,
    own_address,
    name_service,
    authorized_servers,
    unauthorized_host,
    unauthorized_source,
    origin,
)
