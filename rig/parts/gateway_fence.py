"""The fence of a gateway whose callers come by PPP (§3.1): around each session from before its address is usable until
it has ended; and that fence as those see it who ask the gateway's process."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.net import conntrack, firewall
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts import fence_rules
from rig.parts.fence_rules import SavedFence
from rig.parts.mutation import GatewayMutant
from rig.run.control import Control, Handler


class PoolEmptyError(Exception):
    """Every address of the pool is assigned."""


class Pool:
    """The addresses that callers are given: each to one caller at a time."""

    def __init__(self, network: IPv4Network) -> None:
        self._free = list(network.hosts())
        self._lock = threading.Lock()

    def take(self) -> IPv4Address:
        """The address that has been free for longest. Raises PoolEmptyError."""
        with self._lock:
            if not self._free:
                raise PoolEmptyError
            return self._free.pop(0)

    def give_back(self, address: IPv4Address) -> None:
        with self._lock:
            self._free.append(address)


@dataclass(frozen=True)
class _Standing:
    """A session's fence: for which ``representative``, and the rules that take it ``down``."""

    representative: IPv4Address | None
    down: str


class GatewayFence:
    """In the gateway's process. ``allowed``: what a caller may reach; ``mutants``: how it may be broken, by name;
    ``broken``: told of it when it is."""

    def __init__(
        self,
        namespace: NetworkNamespace,
        allowed: Destinations,
        mutants: Mapping[str, GatewayMutant],
        log: logging.Logger,
        broken: Callable[[GatewayMutant | None], None] = lambda mutant: None,
    ) -> None:
        self._mutants = mutants
        self._broken = broken
        self._namespace = namespace
        self._allowed = allowed
        self._log = log
        self._on = True
        self._mutant: GatewayMutant | None = None
        self._sessions: dict[FencedSide, _Standing] = {}
        self._changing = threading.Lock()

    def prepare(self) -> None:
        """Forward nothing that no session's rules let through. What a gateway has left that was killed is gone: the
        rules around its sessions, and its callers' flows, which would be those of the next with the same address."""
        self._namespace.forward()
        firewall.apply(self._namespace, fence_rules.BASE_RULES, whole=True)
        firewall.apply(self._namespace, fence_rules.IPV6_RULES, version=6, whole=True)
        conntrack.settle(self._namespace)
        conntrack.flush(self._namespace)

    @contextlib.contextmanager
    def around(self, session: FencedSide, representative: IPv4Address | None = None) -> Iterator[None]:
        """Up before pppd negotiates, so before IPCP can open; down with the flows that the session had.
        ``representative``: for whom alone the session is, where it is one of remote service."""
        with self._changing:
            up, down = self._rules_around(session, representative)
            firewall.apply(self._namespace, up)
            self._sessions[session] = _Standing(representative, down)
        try:
            yield
        finally:
            self._tell_drops(session)
            with self._changing:
                firewall.apply(self._namespace, self._sessions.pop(session).down)
            keep = self._mutant is not None and self._mutant.keeps_flows
            forgotten = 0 if keep else conntrack.flush_address(self._namespace, session.address)
            self._log.info("%s: session of %s ended, %d flows forgotten", session.interface, session.address, forgotten)

    def _rules_around(self, session: FencedSide, representative: IPv4Address | None) -> tuple[str, str]:
        """What puts the fence up, and what takes it away again."""
        if not self._on:  # a test has the fence left off, to see the checks say so
            return fence_rules.OPEN_RULES, fence_rules.CLOSED_AGAIN
        if representative is not None:
            up = fence_rules.service_rules(representative, session)
        else:
            up = fence_rules.session_rules(self._allowed, session)
        if self._mutant is None:
            return up, fence_rules.removal_rules(session)
        up = self._mutant.change(up, self._allowed, session)
        return up, fence_rules.removal_of(up, session)

    def _tell_drops(self, session: FencedSide) -> None:
        counted = {reason: packets for reason, packets in fence_rules.dropped(self.rules(), session).items() if packets}
        if counted:
            said = ", ".join(f"{packets} ({reason})" for reason, packets in counted.items())
            self._log.info("%s: packets that the fence dropped: %s", session.interface, said)

    @property
    def handlers(self) -> dict[str, Handler]:
        """What may be asked of it; see FenceView, and rig.fixtures.line.Gateway."""
        return {
            "set_fence": self.set_on,
            "set_mutant": self.set_mutant,
            "load_rules": self.load_rules,
            "rules": self.rules,
            "rules_and_sessions": self.rules_and_sessions,
            "interface_of": self.interface_of,
            "flows": self.flows,
        }

    def set_on(self, on: bool) -> None:
        """Leave the fence off for sessions to come: a gateway that is broken on purpose."""
        self._on = on

    def set_mutant(self, name: str) -> None:
        """Break the gateway in one way, for sessions to come; "" for the sound one."""
        self._mutant = self._mutants[name] if name else None
        conntrack.settle(self._namespace, conntrack.STRICT | dict(self._mutant.tracking if self._mutant else ()))
        rules = self._mutant.ipv6 if self._mutant and self._mutant.ipv6 else fence_rules.IPV6_RULES
        firewall.apply(self._namespace, rules, version=6, whole=True)
        self._broken(self._mutant)

    def load_rules(self) -> None:
        """Load the rules of the sessions that are up anew, as they are to be now, each session's in one commit."""
        with self._changing:
            for session, standing in list(self._sessions.items()):
                up, down = self._rules_around(session, standing.representative)
                firewall.apply(self._namespace, fence_rules.in_one_commit(standing.down, up))
                self._sessions[session] = _Standing(standing.representative, down)

    def rules(self) -> str:
        return firewall.save(self._namespace)

    def rules_and_sessions(self) -> tuple[str, str, list[tuple[str, str]]]:
        """The rules in force, those of IPv6, and the sessions, each with its interface and address, that they are
        around."""
        sessions = [(session.interface, str(session.address)) for session in self._sessions]
        return self.rules(), firewall.save(self._namespace, version=6), sorted(sessions)

    def flows(self) -> tuple[int, int]:
        return conntrack.room(self._namespace)

    def interface_of(self, address: str) -> str:
        """The interface towards the caller who was assigned an address. Raises LookupError when nobody was."""
        for session in list(self._sessions):
            if str(session.address) == address:
                return session.interface
        raise LookupError(f"nobody has the address {address}")


@dataclass(frozen=True)
class FenceView:
    """From another process. ``control`` asks the gateway, which has the handlers of :class:`GatewayFence`."""

    namespace: NetworkNamespace
    control: Control

    def towards(self, caller: IPv4Address) -> LinkEnd:
        """The gateway's own end of a caller's line. Raises ControlError when nobody has the address."""
        return LinkEnd(self.namespace, self.control.ask("interface_of", address=str(caller)))

    def around(self, caller: IPv4Address) -> SavedFence:
        """The rules in force, and whom they are around. Raises LookupError when nobody has the address."""
        rules, ipv6, sessions = self.control.ask("rules_and_sessions")
        sides = tuple(FencedSide(name, IPv4Address(address)) for name, address in sessions)
        side = next((side for side in sides if side.address == caller), None)
        if side is None:
            raise LookupError(f"nobody has the address {caller}")
        return SavedFence(rules, side, sides, tuple(self.namespace.own_addresses()), ipv6=ipv6)

    def room(self) -> tuple[int, int]:
        """How many flows it keeps track of, and how many it can."""
        kept, limit = self.control.ask("flows")
        return kept, limit
