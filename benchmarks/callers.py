"""Thirty-two callers on the hunt group at the same time, in one guest, each fenced; and what the fence costs them."""

from __future__ import annotations

import contextlib
import secrets
import socket
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from ipaddress import IPv4Address

from benchmarks.figures import Figure
from benchmarks.stage import GATEWAY, caller, far_end
from rig.config.bench_files import load_tls_policy
from rig.drivers.base.errors import RigError
from rig.drivers.net import firewall
from rig.drivers.tls import client as tls
from rig.links.near_end import NearEnd
from rig.parts.rack import FarEnd
from rig.run.owner import Owner

CALLERS = 32
ROUNDS = 9
"""Pairs of one with the fence and one without, in turn: what else the machine does meets both alike."""
BYTES = 20_000
TARGET = 0.95
WITHOUT, WITH = (f"*filter\n{change} FORWARD -j ACCEPT\nCOMMIT\n" for change in ("-I", "-D"))
"""A rule ahead of all the fences, which then see nothing; and its removal."""


def come_up(near: NearEnd) -> str | RigError:
    """The assigned address; or why the call failed."""
    try:
        near.open()
        near.dial(GATEWAY)
        return str(near.start_ppp().local)
    except RigError as error:
        return error


def connected(far: FarEnd, near: NearEnd) -> HTTPConnection:
    """An HTTP connection over TLS that is open and stays so."""
    server = far.bench.expect.name_address
    assert server is not None
    with near.namespace.entered():
        plain = socket.create_connection((str(server), 443), 60)
    connection = HTTPConnection(str(server))
    connection.sock, _ = tls.secure(plain, load_tls_policy(far.bench), far.ca, server)
    return connection


def post(connection: HTTPConnection) -> None:
    """So many bytes there, and back: the host answers with what it was sent."""
    connection.request("POST", "/", body=secrets.token_hex(BYTES // 2).encode())
    connection.getresponse().read()


def cost_of_the_fence(far: FarEnd, callers: list[NearEnd], pool: ThreadPoolExecutor, gateway: str) -> list[float]:
    """Throughput of all callers together with the fence, as shares of that without; one of each pair of rounds."""
    namespace = far.gateway.fence.towards(IPv4Address(gateway)).namespace
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(connected(far, near))) for near in callers]

        def seconds() -> float:
            began = time.monotonic()
            list(pool.map(post, connections))
            return time.monotonic() - began

        def without() -> float:
            firewall.apply(namespace, WITHOUT)
            try:
                return seconds()
            finally:
                firewall.apply(namespace, WITH)

        seconds()
        ratios = []
        for number in range(ROUNDS):
            order: list[Callable[[], float]] = [without, seconds] if number % 2 else [seconds, without]
            took = {measure: measure() for measure in order}
            ratios.append(took[without] / took[seconds])
        return ratios


def measure() -> list[Figure]:
    """All dial at once; then every session must run and have rules of its own."""
    with Owner() as owner:
        far = far_end("crowd", owner)
        callers = [caller(far, owner, f"c{index}") for index in range(CALLERS)]
        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            ends = list(pool.map(come_up, callers))
            addresses = [end for end in ends if isinstance(end, str)]
            took = time.monotonic() - began
            rules = far.lig.ask("rules")
            fenced = sum(f"! -s {address}/32" in rules for address in addresses)
            running = far.lig.ask("session_count")
            ratios = cost_of_the_fence(far, callers, pool, addresses[0]) if len(addresses) == CALLERS else [0.0]
            list(pool.map(NearEnd.hang_up, callers))
    distinct, share = len(set(addresses)), statistics.median(ratios)
    return [
        Figure(
            f"{CALLERS} callers at the same time",
            f"{distinct} up, {fenced} fenced, {running} at the gateway, in {took:.0f} s",
            "; ".join(str(end) for end in ends if isinstance(end, RigError)),
            "all, none failed",
            distinct == fenced == running == CALLERS,
        ),
        Figure(
            f"throughput of {CALLERS} callers, fenced",
            f"{100 * share:.1f} % ({100 * min(ratios):.0f}-{100 * max(ratios):.0f}, n={len(ratios)})",
            "the same without a rule",
            "at least 95 %",
            share >= TARGET,
        ),
    ]
