"""The name service of the gateway (§3.1)."""

from __future__ import annotations

from collections.abc import Iterator

from rig.checks.check import MODEMS, Surroundings, check, not_run
from rig.probes.names import ask_name
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
