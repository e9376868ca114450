"""The test of the tests: each check, with what it checks broken, must fail. The fence's two are in test_fence.py."""

from __future__ import annotations

import dataclasses
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import trustme

from rig.checks import every as checks

if TYPE_CHECKING:
    from rig.fixtures.line import Session
    from rig.parts.rack import FarEnd
    from rig.verdict.verdict import CheckResult


def test_address_that_the_interface_does_not_hold_is_found(session: Session) -> None:
    around = session.surroundings
    around = dataclasses.replace(around, up=dataclasses.replace(around.up, source=around.up.source + 1))
    assert next(iter(checks.own_address(around))).held is False


def test_address_from_outside_the_pool_is_found(session: Session) -> None:
    around = dataclasses.replace(session.surroundings, pool=IPv4Network("203.0.113.0/24"))
    assert [result.held for result in checks.own_address(around)] == [True, False]


def test_name_service_that_is_not_there_or_answers_wrongly_is_found(session: Session) -> None:
    around = session.surroundings
    nowhere = dataclasses.replace(
        around, up=dataclasses.replace(around.up, name_servers=(IPv4Address("198.51.100.1"),))
    )
    assert [result.held for result in checks.name_service(nowhere)] == [False]
    expect = msgspec.structs.replace(around.expect, name_address=IPv4Address("203.0.113.1"))
    wrong = dataclasses.replace(around, expect=expect)
    assert [result.held for result in checks.name_service(wrong)] == [False]


def test_gateway_that_assigns_no_name_server_is_found(session: Session) -> None:
    around = session.surroundings
    around = dataclasses.replace(around, up=dataclasses.replace(around.up, name_servers=()))
    assert [result.held for result in checks.name_service(around)] == [False]


def posts(results: list[CheckResult]) -> list[bool | None]:
    return [result.held for result in results if result.name.startswith("TLS POST")]


def test_server_whose_certificate_is_somebody_elses_is_found(session: Session, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    results = list(checks.authorized_servers(dataclasses.replace(session.surroundings, ca=str(other))))
    assert posts(results) == [False] * 4
    assert "certificate" in results[0].observed.lower()


def test_authorized_server_that_is_gone_is_found(session: Session, far_end: FarEnd) -> None:
    """One server's address taken from the hosts: that one fails, and no other."""
    hosts, gone = far_end.service.namespace, session.surroundings.allowed.servers[1]
    hosts.remove_address("lo", IPv4Interface(f"{gone}/32"))
    try:
        results = list(checks.authorized_servers(session.surroundings))
    finally:
        hosts.add_address("lo", IPv4Interface(f"{gone}/32"))
    assert posts(results) == [True, False, True, True]
