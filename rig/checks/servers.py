"""The authorized servers: each takes a POST over TLS, and that TLS is acceptable (§2.1.1, §3.2, §5.1)."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec

from rig.checks.check import EVERY, Surroundings, check, not_run
from rig.config.bench_files import load_tls_file
from rig.config.destinations import HTTPS
from rig.drivers.base.interruptions import waiting
from rig.drivers.tls import client as tls
from rig.drivers.tls.policy import Policy, describe
from rig.verdict.verdict import CheckResult

ACCEPTED = "accepted"


@check("5.1", EVERY)
def authorized_servers(around: Surroundings) -> Iterator[CheckResult]:
    """Each authorized server of the region takes a POST over TLS on port 443 (§2.1.1, §5.1), and that TLS is
    acceptable (§3.2)."""
    name, as_policy = "TLS POST to an authorized server", f"TLS as {around.expect.tls} has it"
    policy = load_tls_file(around.expect.tls)
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
        plain = around.up.connect(around.namespace, server, HTTPS, around.answer_seconds)
        with waiting():
            secured, agreed = tls.secure(plain, policy, Path(around.ca), server)
            with contextlib.closing(secured):
                return _post_over(secured, server, sent, own=around.watch is not None), agreed
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
