"""What a customer's proxy is held to (§2.1.2.2): whom it lets where, that it asks who wants to pass, that nothing goes
around it, and that the credentials go to nobody else."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address

from rig.checks.check import WATCHED, Surroundings, check, not_run
from rig.config.destinations import HTTPS
from rig.drivers.base.secret import Secret
from rig.drivers.net.http_connect import PROXY_AUTHENTICATION_REQUIRED, ProxyError, basic
from rig.paths.proxy import Tunnels
from rig.probes import observer
from rig.probes.reaching import answered, begun
from rig.verdict.verdict import CheckResult

PORTS = (22, 80, 442, 8443)
WRONG = (
    ("without credentials", None),
    ("with a wrong secret", "the wrong one"),
    ("with an account that there is not", ""),
)


def _tunnels(around: Surroundings) -> Tunnels:
    assert isinstance(around.up.connect, Tunnels)
    return around.up.connect


ASKS = ("this proxy asks nobody who he is", lambda around: _tunnels(around).credentials is not None)


def _asked(around: Surroundings, host: IPv4Address, port: int, credentials: Secret | None) -> str:
    """What the proxy says to a CONNECT: its status, or why there was none."""
    try:
        connection, answer = _tunnels(around).asked(around.namespace, host, port, around.silence_seconds, credentials)
    except ProxyError as error:
        return str(error)
    connection.close()
    return str(answer.status)


@check("2.1.2.2", ("proxy",), (ASKS, WATCHED))
def who_may_pass(around: Surroundings) -> Iterator[CheckResult]:
    """Without credentials, and with wrong ones, the proxy says 407, and nothing comes out behind it."""
    own, server = _tunnels(around).credentials, around.allowed.servers[0]
    assert own is not None
    assert around.watch is not None
    for what, secret in WRONG:
        wrong = None if secret is None else Secret(own.user if secret else "nobody", secret or own.password)
        began = time.monotonic()
        said = _asked(around, server, HTTPS, wrong)
        arrived = around.watch.ask("arrivals", since=began, destination=str(server), opens=True)
        held = said == str(PROXY_AUTHENTICATION_REQUIRED) and not arrived
        observed = f"{said}; {len(arrived)} packets arrived" if arrived else f"{said}; nothing arrived"
        yield CheckResult(f"proxy {what}", f"{server}:{HTTPS}", f"{PROXY_AUTHENTICATION_REQUIRED}", observed, held)


@check("2.1.2.2", ("proxy",), (WATCHED,))
def where_it_lets_us(around: Surroundings) -> Iterator[CheckResult]:
    """No other port of a server, and no host that is not in the list: refused, and nothing comes out."""
    assert around.watch is not None
    server, credentials = around.allowed.servers[0], _tunnels(around).credentials
    wanted = [(server, port) for port in PORTS]
    host = around.expect.unauthorized_host
    if around.allowed.anybody or host is None:
        yield not_run("proxy limits hosts", str(host or ""), "the bench names no host that it limits")
    else:
        wanted.append((host, HTTPS))
    for target, port in wanted:
        began = time.monotonic()
        said = _asked(around, target, port, credentials)
        arrived = around.watch.ask("arrivals", since=began, destination=str(target), destination_port=port, opens=True)
        observed = f"{said}; {len(arrived)} packets arrived" if arrived else f"{said}; nothing arrived"
        refused = said.isdigit() and int(said) >= 400
        name = "proxy limits hosts" if port == HTTPS else "proxy limits ports"
        yield CheckResult(name, f"{target}:{port}", "refused", observed, refused and not arrived)


@check("2.1.2.2", ("proxy",), (WATCHED,))
def around_the_proxy(around: Surroundings) -> Iterator[CheckResult]:
    """A connection that does not ask the proxy reaches no server."""
    assert around.watch is not None
    servers = around.allowed.servers
    for server, other in zip(servers, (*servers[1:], servers[0]), strict=True):
        began = time.monotonic()
        with begun(around.namespace, server) as attempt:
            # What is sent behind it by the proxy has arrived by then; so would it, on whatever way it finds.
            around.speak_with(other).close()
            said, port = answered(attempt), attempt.getsockname()[1]
        # By its port, which a router that masks addresses keeps: the proxy's own packets come there, too.
        arrived = around.watch.ask("arrivals", since=began, destination=str(server), source_port=port)
        observed = f"{said}; {len(arrived)} packets arrived" if arrived else f"{said}; nothing arrived"
        yield CheckResult("around the proxy", f"{server}:{HTTPS}", "no way", observed, said != "open" and not arrived)


@check("2.1.2.2", ("proxy",), (ASKS, WATCHED))
def credentials_go_nowhere_else(around: Surroundings) -> Iterator[CheckResult]:
    """What the console says of itself to the proxy is in no packet behind it, and in no log."""
    own = _tunnels(around).credentials
    assert own is not None
    name, target = "credentials go to the proxy alone", own.user
    if around.beyond is None:
        yield not_run(name, target, "nobody can look behind the proxy")
        return
    with closing(observer.arriving(around.beyond.namespace, around.beyond.interface)) as behind:
        for server in around.allowed.servers:
            around.speak_with(server).close()
        seen = behind.collect()
    traces = (own.password.encode(), basic(own).split()[1].encode(), base64.b64encode(own.password.encode()))
    leaked = sum(any(trace in packet for trace in traces) for packet in seen)
    logs = around.logs() if around.logs else {}
    logged = [file for file, text in logs.items() if any(trace.decode() in text for trace in traces)]
    observed = f"in {leaked} of {len(seen)} packets behind it" + (f", and in {', '.join(logged)}" if logged else "")
    yield CheckResult(name, target, "in none", observed, bool(seen) and not leaked and not logged)
