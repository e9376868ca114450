"""A whole run of the probes over a session that is up, and its report."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from rig.config.destinations import HTTPS
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.probes import observer, packets
from rig.probes.cards import CATEGORY as BETWEEN_CARDS
from rig.probes.cards import Cards, probe_cards
from rig.probes.engine import Follow, probe_inward, probe_outward
from rig.probes.flood import answered, fill
from rig.probes.flow_state import (
    AFTER_THE_END,
    OUTSIDE,
    PINHOLE,
    Ended,
    after_the_end,
    ended,
    outside_the_window,
    through_a_pinhole,
)
from rig.probes.inward import about_a_flow, about_the_vpn, inward, of_a_flow
from rig.probes.making import Ground, ProbeMaker
from rig.probes.names import STRANGERS, strangers_names
from rig.probes.outward import FIRST_PACKETS, outward
from rig.probes.own_firewall import own_firewall
from rig.probes.probe import Expected, Outcome, Probe, Side
from rig.probes.proven import Confirmed
from rig.probes.proving import probe_of
from rig.probes.reaching import connect, flow
from rig.probes.report import Filled, Report
from rig.probes.time_out import AFTER, Opened, after, opened
from rig.proof.found import CounterExample

FIRST_EXAMPLE = 60001
"""Probes have the numbers below."""
FLOODED = "while full of flows"


@dataclass(frozen=True)
class Vantage:
    """Where one can stand. ``far``: behind the gateway; ``towards_caller``: the gateway's own end of the caller's
    line; ``other``: the end of a second caller; ``cards``: both sides of a console with two network cards;
    ``follower``: from where the good connection goes that follows the probes, where that is not the caller. None where
    nobody can."""

    caller: LinkEnd
    far: LinkEnd | None = None
    towards_caller: LinkEnd | None = None
    other: LinkEnd | None = None
    cards: Cards | None = None
    follower: NetworkNamespace | None = None


class FenceRun:
    """Probes a fence from the caller's end, and from behind the gateway where there is somebody to do it.

    ``told``: how many probes have been sent, and of how many. ``known``: the categories that :meth:`run` has met, those
    that nobody wanted as well.
    """

    def __init__(
        self, ground: Ground, vantage: Vantage, told: Callable[[int, int], None] = lambda sent, total: None
    ) -> None:
        self._told = told
        self._sent = self._total = 0
        self.known: set[str] = set()
        self.ground = ground
        self.vantage = vantage
        self._outward = outward(ground)  # all made beforehand: the first packet must not wait for the last
        self._strangers = inward(ground) if vantage.far is not None else []
        self._own = own_firewall(ground) if vantage.towards_caller is not None else []
        self._server = ground.follower

    def run(self) -> Report:
        """Every probe that can be sent and judged from where one stands. Raises ProbeError where nothing can be
        known."""
        began = time.monotonic()
        caller, far = self.vantage.caller, self.vantage.far
        probes = self._wanted(
            [probe for probe in self._outward if far or probe.answered or probe.expected is Expected.DENIED]
        )
        strangers, own = self._wanted(self._strangers), self._wanted(self._own)
        self._sent, self._total = 0, len(probes) + len(strangers) + len(own)
        first = sum(1 for probe in probes if probe.category == FIRST_PACKETS)
        found = self._out(probes[:first], self.follow)
        over = self._ended()  # the time for which a hole may stay open passes while other things are sent
        unused = self._opened()
        found += self._out(probes[first:], self.follow)
        if far is not None:
            found += self._from(far, strangers)
            found += self._about_what_is_open(far)
        if self.vantage.towards_caller is not None and own:
            with closing(observer.inside(caller.namespace, to=self.ground.caller)) as inside:
                towards = self.vantage.towards_caller
                found += probe_inward(own, towards, [inside], self.follow, self._one_sent)
        if far is not None and over is not None:
            found += after_the_end(self.ground, over, self._server, lambda probes: self._from(far, probes))
        if far is not None and unused is not None and unused.late:
            found += unused.outcomes
            found += after(unused, self.ground.time_out, lambda probes: self._from(far, probes))
        if self.vantage.cards is not None and self._wants(BETWEEN_CARDS):
            found += probe_cards(self.ground, self.vantage.cards, self.follow, self._one_sent)
        size = sum(len(packet) for probe in probes for packet in probe.packets)
        found += self._strangers_names()
        return Report(tuple(found), time.monotonic() - began, size, far is not None)

    def _strangers_names(self) -> list[Outcome]:
        """What the gateway's own name servers say of names that are not theirs; not beneath another way, by which a
        question would go."""
        wanted = self.ground.proof is None and self._wants(STRANGERS)
        servers = self.ground.allowed.name_servers if wanted else ()
        namespace, seed = self.vantage.caller.namespace, self.ground.seed
        return [outcome for server in servers for outcome in strangers_names(namespace, server, seed)]

    def _about_what_is_open(self, far: LinkEnd) -> list[Outcome]:
        """What others send about a flow that the caller has; about its VPN, where there is nothing else."""

        def send(probes: list[Probe]) -> list[Outcome]:
            return self._from(far, self._wanted(probes))

        if not self.ground.allowed.servers:
            return send(about_the_vpn(self.ground))
        ground, caller, server = self.ground, self.vantage.caller, self._server
        with flow(caller.namespace, server) as connection:
            port = int(connection.getsockname()[1])
            found = send(about_a_flow(ground, server, port))
        if ground.proof is not None:  # that flow is inside another way: none of its segments are seen here
            return found
        if self._wants(OUTSIDE):
            found += outside_the_window(ground, caller, server, send)
        if self._wants(PINHOLE):
            found += through_a_pinhole(ground, caller, server, send)
        return found

    def _ended(self) -> Ended | None:
        """Flows that are over from now on, where somebody can speak in them once more."""
        ground, far = self.ground, self.vantage.far
        if far is None or ground.proof is not None or not ground.allowed.servers:
            return None
        return ended(self.vantage.caller, far, self._server) if self._wants(AFTER_THE_END) else None

    def _opened(self) -> Opened | None:
        """What of UDP is open from now on, where it is asked when that is shut."""
        if self.vantage.far is None or not self.ground.time_out or not self._wants(AFTER):
            return None
        return opened(self.ground, lambda probes: self._out(probes, self.follow))

    def _wants(self, category: str) -> bool:
        self.known.add(category)
        return not self.ground.only or category in self.ground.only

    def _wanted(self, probes: Iterable[Probe]) -> list[Probe]:
        return [probe for probe in probes if self._wants(probe.category)]

    def flooded(self, flows: int, room: Callable[[], tuple[int, int]] | None) -> tuple[list[Outcome], Filled]:
        """The probes that must be dropped, while the gateway is full of half-open flows: it must not open then.

        ``room``: asks the gateway how many flows it keeps, and how many it can. Raises ProbeError as :meth:`run`.
        """
        caller = self.vantage.caller
        denied = [replace(probe, category=FLOODED) for probe in self._outward if probe.expected is Expected.DENIED]
        with flow(caller.namespace, self._server) as connection:  # a gateway that is full knows this still
            fill(self.ground, caller, flows)
            filled = Filled(flows, *(room() if room else ()))
            filled.check()

            def follow() -> str | None:
                return None if answered(connection) else "an answer over a connection from before the flood"

            self._sent, self._total = 0, len(denied)
            return self._out(denied, follow), filled

    def one(self, kind: str, to: IPv4Address, source: IPv4Address, *, allowed: bool) -> Outcome:
        """A single packet of one of packets.KINDS; Raises ProbeError as :meth:`run` does."""
        make = ProbeMaker(self.ground, 1)
        number = make.number()
        packet = packets.KINDS[kind](source, to, number)
        probe = make.outward("single probe", f"{kind} from {source} to {to}", packet, number, allowed=allowed)
        return self._out([probe], self.follow)[0]

    def confirmed(self, examples: Sequence[CounterExample], interface: str) -> list[Confirmed]:
        """Counter-examples of a proof, sent as packets wherever one can. ``interface``: the gateway's, to the caller.
        Raises ProbeError as :meth:`run`."""
        made = [probe_of(example, interface, FIRST_EXAMPLE + at) for at, example in enumerate(examples)]
        probes = [probe for probe in made if isinstance(probe, Probe)]
        self._sent, self._total = 0, len(probes)
        found = self._out([probe for probe in probes if probe.side is Side.CALLER], self.follow)
        if self.vantage.far is not None:
            found += self._from(self.vantage.far, [probe for probe in probes if probe.side is Side.FAR])
        outcomes = {outcome.probe.number: outcome for outcome in found}
        return [
            Confirmed(example, None, probe)
            if isinstance(probe, str)
            else Confirmed(example, outcomes.get(probe.number), "nobody stands behind the gateway")
            for example, probe in zip(examples, made, strict=True)
        ]

    def previous_flow(self, server: IPv4Address, port: int) -> list[Outcome]:
        """What comes of a flow that an earlier session with this address has left open."""
        assert self.vantage.far is not None
        return self._from(self.vantage.far, of_a_flow(self.ground, server, port))

    def _out(self, probes: Sequence[Probe], follow: Follow) -> list[Outcome]:
        """Send as the caller; seen behind the gateway, and at the other caller's end."""
        if not probes:
            return []
        ends = [end for end in (self.vantage.far, self.vantage.other) if end]
        return probe_outward(probes, self.vantage.caller, ends, follow, self._one_sent)

    def _from(self, sender: LinkEnd, probes: list[Probe]) -> list[Outcome]:
        """Send to the callers; seen at their own ends of their lines."""
        if not probes:
            return []
        ends = [end for end in (self.vantage.caller, self.vantage.other) if end]
        with contextlib.ExitStack() as open_sockets:
            watchers = [
                open_sockets.enter_context(closing(observer.arriving(end.namespace, end.interface))) for end in ends
            ]
            return probe_inward(probes, sender, watchers, self.follow, self._one_sent)

    def _one_sent(self) -> None:
        self._sent += 1
        self._told(self._sent, max(self._sent, self._total))

    def follow(self) -> str | None:
        """A good connection by each caller: its answers come behind all that went to that caller before."""
        other = self.vantage.other
        for namespace in (self.vantage.follower or self.vantage.caller.namespace, other.namespace if other else None):
            if namespace is not None and connect(namespace, self._server) != "open":
                return f"the connection to {self._server}:{HTTPS}"
        return None
