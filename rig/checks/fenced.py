"""What must not be reached, and who must not reach the near end (§2.1.1, §3.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rig.checks.check import EVERY, MODEMS, Surroundings, check, not_run
from rig.config.destinations import HTTPS
from rig.console import firewall as console_firewall
from rig.probes import packets
from rig.probes.reaching import answered, begun, connect, send_raw
from rig.verdict.verdict import CheckResult

LIMITED = ("TCP 443 is open to anybody here", lambda around: not around.allowed.anybody)


@check("2.1.1", (*MODEMS, "internet"), (LIMITED,))
def unauthorized_host(around: Surroundings) -> Iterator[CheckResult]:
    """A host that is not in the fence's list is not reached (§2.1.1)."""
    host = around.expect.unauthorized_host
    name, target = "unauthorized host", f"{host}:{HTTPS}"
    if host is None:
        yield not_run(name, "", "the bench names no expect.unauthorized-host")
        return
    if around.watch is None:
        answer = connect(around.namespace, host, around.silence_seconds)
        if answer == "no answer":
            yield not_run(name, target, "no answer, and the far side cannot be watched: silence proves nothing")
        else:
            yield CheckResult(name, target, "silent", answer, False)
        return
    # A good connection follows over the same line: by the time that it is open, whatever the first packet meets has
    # met it, and what would be said of it has been said.
    began = time.monotonic()
    with begun(around.namespace, host) as attempt:
        follower = connect(around.namespace, around.allowed.servers[0], around.answer_seconds)
        answer = answered(attempt)
    arrived = around.watch.ask("arrivals", since=began, destination=str(host))
    if arrived:
        yield CheckResult(name, target, "silent", f"{answer}; {len(arrived)} packets arrived there", False)
    elif follower != "open":
        yield not_run(name, target, f"the connection that should follow it found {follower}")
    else:
        yield CheckResult(name, target, "silent", f"{answer}; nothing arrived there", answer == "no answer")


@check("3.1", MODEMS)
def unauthorized_source(around: Surroundings) -> Iterator[CheckResult]:
    """A packet whose source is not the assigned address does not pass the gateway (§3.1).

    Its source is the pool's next address, its destination an authorized server: only the source is wrong.
    A good connection to the same server follows it over the same line, so that by its end the packet has
    either arrived or been dropped.
    """
    name, server = "unauthorized source address", around.allowed.servers[0]
    source = around.up.source + 1
    target = f"{source} to {server}:{HTTPS}"
    if around.watch is None:
        yield not_run(name, target, "the far side cannot be watched, and silence proves nothing here")
        return
    began = time.monotonic()
    for port in (40001, 40002, 40003):
        send_raw(around.namespace, packets.tcp(source, server, HTTPS, port, source_port=port))
    follower = connect(around.namespace, server, around.answer_seconds)
    arrived = around.watch.ask("arrivals", since=began, source=str(source), destination=str(server))
    if follower != "open":
        yield not_run(name, target, f"the connection that should follow it found {follower}")
        return
    observed = f"{len(arrived)} of 3 packets arrived" if arrived else "dropped: none of 3 packets arrived"
    yield CheckResult(name, target, "dropped", observed, not arrived)


@check("2.1.1", EVERY)
def origin(around: Surroundings) -> Iterator[CheckResult]:
    """Connections always originate from the near end (§2.1.1): nobody has tried to open one to it."""
    opened = console_firewall.opened_from_outside(around.namespace)
    observed = f"{opened} attempts" if opened else "none"
    yield CheckResult("connections opened from outside", str(around.up.source), "none", observed, not opened)
