"""The PPP session itself: who was asked who calls, and with what address."""

from __future__ import annotations

from collections.abc import Iterator

from rig.checks.check import MODEMS, Surroundings, check, not_run
from rig.drivers.ppp.up import PppUp
from rig.verdict.verdict import CheckResult


@check("3.1", MODEMS)
def own_address(around: Surroundings) -> Iterator[CheckResult]:
    """The assigned address is one of the gateway's pool, and the PPP interface holds it (§3.1)."""
    local = around.up.source
    held = around.namespace.addresses(around.up.interface)
    yield CheckResult(
        "own address on the PPP interface", around.up.interface, str(local), ", ".join(held) or "none",
        str(local) in held,
    )  # fmt: skip
    pool = around.pool
    if pool is None:
        yield not_run("own address within the pool", str(local), "the bench names no expect.pool")
    else:
        yield CheckResult("own address within the pool", str(local), f"in {pool}", str(local), local in pool)


@check("3.1", MODEMS)
def authentication(around: Surroundings) -> Iterator[CheckResult]:
    """The gateway has the caller say who it is, by PAP (§3.1): one that lets anybody in is found, though it works."""
    assert around.up.ppp is not None
    yield asked_who_it_is(around.up.ppp, "PAP")


def asked_who_it_is(up: PppUp, expected: str) -> CheckResult:
    """Whether the session was authenticated by the protocol that is expected, and by no weaker one."""
    observed = "nobody was asked who calls" if up.auth == "none" else up.auth
    return CheckResult("authentication of the caller", str(up.peer), expected, observed, up.auth == expected)
