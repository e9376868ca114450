"""What a customer's network is held to (§2.1.2.1): the console's address is masked, and its network cards are apart."""

from __future__ import annotations

from collections.abc import Iterator

from rig.checks.check import WATCHED, Surroundings, check
from rig.probes.cards import CATEGORY, probe_cards
from rig.verdict.verdict import CheckResult

SECOND_CARD = ("the console has one network card", lambda around: around.cards is not None)


@check("2.1.2.1", ("internet", "proxy"), (WATCHED,))
def address_masked(around: Surroundings) -> Iterator[CheckResult]:
    """What the servers have seen came from the router's or the proxy's address, and nothing from the console's."""
    assert around.watch is not None
    own, masked = around.up.source, around.seen_as
    around.speak_with(around.allowed.servers[0]).close()
    bare = around.watch.ask("arrivals", source=str(own))
    seen = around.watch.ask("arrivals", source=str(masked))
    others = "nothing else" if not bare else f"{len(bare)} packets from {own} itself"
    observed = f"{len(seen)} packets from {masked}, {others}"
    yield CheckResult("console's address masked", str(own), f"as {masked}", observed, bool(seen) and not bare)


@check("2.1.2.1", ("internet", "proxy"), (SECOND_CARD,))
def cards_apart(around: Surroundings) -> Iterator[CheckResult]:
    """Nothing passes between the local system network and the customer's, either way: by probes of many kinds."""
    assert around.cards is not None
    server = around.allowed.servers[0]

    def follow() -> str | None:
        with around.speak_with(server):
            return None

    outcomes = probe_cards(around.ground, around.cards, follow)
    passed = [outcome.probe.what for outcome in outcomes if not outcome.held]
    observed = (
        f"{len(passed)} of {len(outcomes)} passed, {passed[0]} the first" if passed else f"none of {len(outcomes)}"
    )
    yield CheckResult(CATEGORY, str(around.cards.managed), "nothing passes", observed, not passed)
