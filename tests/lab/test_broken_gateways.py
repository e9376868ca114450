"""The test of the fence's probes and of its proof: each broken gateway is found, by the category that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from rig.config.bench import Bench
from rig.drivers.net import conntrack
from rig.drivers.net.namespace import NetworkNamespace
from rig.fixtures.line import Gateway, Line, Session
from rig.parts.fence_mutants import MUTANTS
from rig.parts.mutation import GatewayMutant
from rig.parts.rack import FarEnd
from rig.probes.probe import ProbeError
from rig.run.owner import Owner

BY_CALL = [mutant for mutant in MUTANTS if not (mutant.keeps_flows or mutant.routes_pool)]
"""Those that show by themselves as soon as somebody calls."""


@contextmanager
def line_of(bench: Bench, far_end: FarEnd, name: str) -> Iterator[Line]:
    with Owner() as owner:
        port = far_end.install_line(f"broken-{name}", "")
        line = Line(bench, owner, port, far_end.secret, bench.gateway_number, far_end, name)
        with line.opened():
            yield line


@dataclass(frozen=True)
class Callers:
    """Two who are there, while the gateway is broken in one way after another."""

    gateway: Gateway
    namespace: NetworkNamespace
    one: Session
    other: Session

    def with_mutant(self, name: str) -> None:
        self.gateway.set_mutant(name)
        self.gateway.load_rules()
        for caller in (self.one, self.other):  # what one mutant has let in would be a flow to the next
            conntrack.flush_address(self.namespace, caller.up.local)


@pytest.fixture(scope="module")
def there(bench: Bench, far_end: FarEnd) -> Iterator[Callers]:
    """On lines of their own: the other tests' callers come and go beside them."""
    gateway, namespace = Gateway(far_end.lig), far_end.gateway.fence.namespace
    with line_of(bench, far_end, "one") as one, line_of(bench, far_end, "other") as other:
        yield Callers(gateway, namespace, one.call().start_ppp(), other.call().start_ppp())


@pytest.mark.paper("3.1", "5.1", "5.2")
@pytest.mark.parametrize("mutant", BY_CALL, ids=lambda mutant: mutant.name)
def test_a_broken_gateway_is_found_by_the_category_that_names_it_and_by_proof(
    there: Callers, mutant: GatewayMutant
) -> None:
    """By its probes, and where it is of the rules by the proof as well, to which the kernel bears witness."""
    there.with_mutant(mutant.name)
    try:
        session = there.one
        other = there.other if mutant.found_by == "caller to caller" else None
        run = session.probes(sample=60, other=other, only=[mutant.found_by])
        try:
            found = run.run().found_by
        except ProbeError:  # a gateway that lets not even a good connection through is found by that
            assert mutant.found_by == "authorized server"
            return
        assert mutant.found_by in found
        proven = session.proven(run)
        assert proven.contradictions == []
        assert proven.proof.holds == (not mutant.of_rules)
        assert bool(proven.sent) == (mutant.of_rules and mutant.name not in NOT_SENT)
    finally:
        there.with_mutant("")


NOT_SENT = {
    "gateway-open": "to the gateway itself, where nobody watches",
    "utility-open": "the name service is the gateway's own",
    "no-name-service": "the name service is the gateway's own",
    "related-in": "what is RELATED needs a flow: the probes about one have it",
    "rules-late": "it passes at times alone",
    "callers-joined": "from a caller's line to one's",
    "wrong-sums-out": "what a proof finds has the right sum",
    "wrong-sums-in": "what a proof finds has the right sum",
    "ftp-helper": "what is RELATED needs a flow",
    "irc-helper": "what is RELATED needs a flow",
    "sip-helper": "what is RELATED needs a flow",
}
"""What the proof finds, and no packet alone can show."""
