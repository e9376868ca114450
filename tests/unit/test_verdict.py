"""The verdict: what counts, and the keys of its JSON, which are a contract."""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Address

import pytest

from rig.drivers.base.errors import CannotRunError, InternalError, NoModemError, RigError, as_outcome
from rig.verdict.verdict import CheckResult, PppReport, Verdict


def check(held: bool | None) -> CheckResult:
    return CheckResult("c", "t", "e", "o", held)


def judged(*held: bool | None) -> Verdict:
    verdict = Verdict("b", "uml", checks=[check(one) for one in held])
    verdict.judge()
    return verdict


def test_all_held_is_0_one_failed_is_1() -> None:
    assert judged(True, True).exit == 0
    assert judged(True, False, None).exit == 1
    assert judged(True, False).outcome == "CHECK FAILED"


def test_what_was_not_run_is_said_and_is_no_success() -> None:
    assert judged(True, None).message == "1 checks held, 1 not run"


@pytest.mark.parametrize("held", [(), (None,), (None, None)])
def test_nothing_checked_is_no_success(held: tuple[None, ...]) -> None:
    nothing = judged(*held)
    assert (nothing.outcome, nothing.exit) == ("NOTHING CHECKED", 24)
    assert nothing.message == "the session was up; no check could be run on it"


def test_json_has_the_keys_that_the_command_line_promises() -> None:
    verdict = judged(True)
    address = IPv4Address("198.51.100.17")
    verdict.ppp = PppReport("ppp0", address, address, (address,), 1500, "PAP")
    report = json.loads(verdict.to_json())
    assert set(report["ppp"]) == {"interface", "local", "peer", "dns", "mtu", "auth"}
    assert report["ppp"]["dns"] == ["198.51.100.17"]
    promised = {"bench", "lab", "port", "modem", "attempts", "connect", "ppp", "checks", "timing", "outcome", "exit"}
    assert promised <= set(report)
    assert set(report["timing"]) == {"detect", "dial", "connect", "ppp", "checks", "total"}
    assert {"name", "target", "expected", "observed", "held"} <= set(report["checks"][0])
    assert {"manufacturer", "model", "revision", "profile"} <= set(report["modem"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoModemError("none"), NoModemError),
        (FileNotFoundError(2, "No such file or directory", "/nowhere"), CannotRunError),
        (RuntimeError("dictionary changed size"), InternalError),
        (subprocess.TimeoutExpired(["ip"], 20), InternalError),
        (OSError(5, "Input/output error"), InternalError),
    ],
)
def test_every_exception_is_an_outcome(error: Exception, kind: type[RigError]) -> None:
    verdict = Verdict("b", "uml")
    verdict.end_with(as_outcome(error))
    assert (verdict.outcome, verdict.exit) == (kind.outcome, kind.exit_status)
    assert verdict.exit not in (0, 1)
    assert ("Error" in verdict.trace or "Expired" in verdict.trace) == (kind is InternalError)
