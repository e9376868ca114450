"""What remote service over a VPN is held to (§2.2.2): what a representative reaches by each session, and that a session
leads to whom it is for, goes through the VPN, and leaves the console's way home alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from rig.checks.check import not_run
from rig.checks.inbound.representative import PARTITION_PORT, Behind, Caller, Promised, Verification
from rig.checks.inbound.sweep import ALL_PORTS
from rig.checks.vpn import is_vpns
from rig.config.destinations import HTTPS
from rig.drivers.base.interruptions import waiting
from rig.drivers.l2tp.kernel import MTU_IN_ESP
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.ppp.up import PppUp
from rig.links.remote_service import ServiceSession
from rig.parts.vpn_server.gateway import REPRESENTATIVES, REPRESENTATIVES_CARD, VpnGateway
from rig.parts.vpn_server.lns import FIRST_OF_SERVICE
from rig.paths.up import Up
from rig.probes import observer
from rig.probes.reaching import ANSWER_SECONDS
from rig.verdict.verdict import CheckResult


@dataclass(frozen=True)
class SessionsVerification:
    """``sessions`` that are up beside the way ``home``, the console's first. What must not get in is sent from the
    gateway's ends of them, past the gateway's own firewall. ``wire``: where the VPN is seen from outside."""

    representative: Caller
    gateway: VpnGateway
    sessions: tuple[ServiceSession, ...]
    promised: Promised
    behind: Behind
    home: Up
    wire: LinkEnd | None

    def run(self, tcp_ports: Sequence[int] = ALL_PORTS) -> Iterator[CheckResult]:
        yield from self._by(0, self.promised, tcp_ports).run()
        for number in range(len(self.sessions)):
            yield self.others_by(number)
        yield self.console_by_the_way_home()
        yield self.in_clear()
        yield self.home_meanwhile()

    def others_by(self, number: int) -> CheckResult:
        """A session leads to whom it is for, and to nobody whom another leads to."""
        session = self.sessions[number]
        others = [one.address for one in self.sessions if one is not session]
        ports = [PARTITION_PORT, *sorted(self.promised.ports)[:3]]
        return self._by(number, self._own(session)).shut(f"others, by the session of {session.name}", others, ports)

    def console_by_the_way_home(self) -> CheckResult:
        """Remote service opens the console by its session alone."""
        end, source = self.gateway.fence.towards(self.home.source), self.home.source
        ports = [22, HTTPS, *sorted(self.promised.ports)[:3]]
        nothing = replace(self.promised, console=(), partitions=())
        there = replace(self, behind=replace(self.behind, interface=self.home.interface))
        return there._at(end, source, nothing).shut("the console, by its way home", [source], ports)

    def in_clear(self) -> CheckResult:
        """Beyond the console, or the partition that has made the VPN, nothing but IKE and ESP is to be seen."""
        name, beneath = "sessions in clear", self.home.underlay
        if self.wire is None or beneath is None:
            return not_run(name, "", "nobody can look at the way that the VPN goes")
        with closing(observer.arriving(self.wire.namespace, self.wire.interface)) as wire:
            for number, session in enumerate(self.sessions):
                self._by(number, self._own(session)).talk()
            seen = [packet for packet in wire.collect() if packet[0] >> 4 == 4]
        clear = [packet for packet in seen if not is_vpns(packet)]
        observed = f"{len(clear) or 'none'} of {len(seen)} packets are something else"
        return CheckResult(name, str(beneath.source), "IKE and ESP alone", observed, bool(seen) and not clear)

    def home_meanwhile(self) -> CheckResult:
        """The console's own connections go the way that they went."""
        home, server = self.home, self.home.allowed.servers[0]
        name, target = "the way home meanwhile", f"{server}:{HTTPS}"
        with closing(observer.leaving(home.namespace, home.interface)) as out, waiting():
            try:
                home.connect(home.namespace, server, HTTPS, ANSWER_SECONDS + home.queued_seconds).close()
            except OSError as error:
                return CheckResult(name, target, f"reached by {home.interface}", str(error).lower(), held=False)
            went = any(packet[16:20] == server.packed for packet in out.collect())
        observed = "reached" if went else "reached by another way"
        return CheckResult(name, target, f"reached by {home.interface}", observed, went)

    def _own(self, session: ServiceSession) -> Promised:
        """What is promised of one session."""
        if session.partition is None:
            return replace(self.promised, console=session.ports, partitions=())
        return replace(self.promised, console=(), partitions=((session.name, session.address),))

    def _by(self, number: int, promised: Promised, tcp_ports: Sequence[int] = ALL_PORTS) -> Verification:
        end = LinkEnd(self.gateway.namespace, f"ppp{FIRST_OF_SERVICE + number}")
        return self._at(end, self.sessions[number].address, promised, tcp_ports)

    def _at(
        self, end: LinkEnd, address: IPv4Address, promised: Promised, tcp_ports: Sequence[int] = ALL_PORTS
    ) -> Verification:
        up = PppUp(REPRESENTATIVES_CARD, REPRESENTATIVES[1].ip, address, (), MTU_IN_ESP, "")
        return Verification(self.representative, up, promised, self.behind, tcp_ports, end=end)
