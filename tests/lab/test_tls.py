"""TLS to the authorized servers: what a policy accepts, and what it does not (the paper's §3.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from rig.checks import every as checks
from rig.config.bench_files import load
from rig.fixtures.line import Line
from rig.parts.rack import FarEnd
from rig.probes.reaching import connect
from rig.run.owner import Owner

if TYPE_CHECKING:
    from rig.checks.check import Surroundings
    from rig.fixtures.line import Gateway, Session


@pytest.fixture(scope="module")
def old_servers() -> Iterator[Surroundings]:
    """A session with a gateway behind which the servers speak TLS as in 2007."""
    with Owner() as owner:
        far = FarEnd(load(str(Path(__file__).with_name("old-servers.toml"))), owner)
        line = Line(far.bench, owner, far.near_port, far.secret, far.bench.gateway_number, far)
        with line.opened():
            yield line.call().start_ppp().surroundings


def with_policy(around: Surroundings, name: str) -> Surroundings:
    return dataclasses.replace(around, expect=msgspec.structs.replace(around.expect, tls=name))


@pytest.mark.paper("3.2")
def test_servers_of_2007_are_spoken_to_as_the_paper_has_it(old_servers: Surroundings) -> None:
    results = list(checks.authorized_servers(old_servers))
    assert [result.held for result in results] == [True] * 8
    suites = {result.details["suite"] for result in results if result.details}
    assert suites == {"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"}
    assert {result.details["chain"][0]["bits"] for result in results if result.details} == {1024}


@pytest.mark.paper("3.2")
def test_servers_of_2007_are_not_good_enough_today(old_servers: Surroundings) -> None:
    results = list(checks.authorized_servers(with_policy(old_servers, "today")))
    assert [result.held for result in results] == [False, None] * 4


def test_a_policy_says_what_it_does_not_accept(old_servers: Surroundings, tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(
        'source = "this test"\nspoken-by = "tlslite-ng"\nversions = ["TLS 1.0", "TLS 1.1"]\n'
        'ciphers = ["AES-256", "RC4-128"]\n[keys]\nRSA = 1536\n'
    )
    results = list(checks.authorized_servers(with_policy(old_servers, str(strict))))
    assert not any(result.held for result in results)


@pytest.mark.paper("3.2")
def test_a_chain_that_another_authority_signed_is_refused(old_servers: Surroundings, session: Session) -> None:
    """Both speakers: the certificates of the one far end are not those of the other."""
    for around, other in ((old_servers, session.surroundings), (session.surroundings, old_servers)):
        results = list(checks.authorized_servers(dataclasses.replace(around, ca=other.ca)))
        assert [result.held for result in results] == [False, None] * 4
        assert "TLS" in results[0].observed


def test_a_connection_that_comes_from_outside_is_a_finding(modem: Line, gateway: Gateway) -> None:
    gateway.set_mutant("everything-in")
    session = modem.call().start_ppp()
    [before] = session.run_check(checks.origin)
    assert before.held
    assert modem.far_end is not None
    towards = modem.far_end.gateway.fence.towards(session.up.local)
    assert connect(towards.namespace, session.up.local, 0.3) == "no answer"
    [after] = session.run_check(checks.origin)
    assert after.held is False
