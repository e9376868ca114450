"""Remote service over a VPN (§2.2.2): the console's side, partitions behind it, and a representative who verifies what
it is let to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drivers.base.errors import CarrierLostError
from drivers.l2tp.kernel import MTU_IN_ESP
from drivers.net.link_end import LinkEnd
from drivers.net.namespace import NetworkNamespace
from drivers.ppp.up import PppUp
from rig.checks.inbound.promise import promised_by
from rig.checks.inbound.representative import Behind, Promised, Verification
from rig.checks.inbound.sweep import ALL_PORTS
from rig.config.bench import Bench, InboundTable
from rig.config.bench_files import load_destinations
from rig.console import partitions
from rig.console.partitions import Partition
from rig.jobs.services import serve_names
from rig.links.remote_service import FIRST_UNIT, RemoteServiceEnd, ServiceSession
from rig.parts.vpn_server.gateway import REPRESENTATIVES, REPRESENTATIVES_CARD
from rig.parts.vpn_server.lns import FIRST_OF_SERVICE
from rig.paths.vpn_building import BuiltVpn
from rig.paths.vpn_service import CONSOLE
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult


@dataclass(frozen=True)
class Representative:
    """Who comes by the service server, which has a cable to the VPN gateway."""

    namespace: NetworkNamespace

    def line_seconds(self) -> float:
        """There is no slow line."""
        return 0.0

    def line_is_alive(self, seconds: float) -> bool:
        """Nobody can tell from there."""
        return False


@dataclass(frozen=True)
class ServiceStage:
    """What remote service takes place on."""

    bench: Bench
    owner: Owner
    vpn: BuiltVpn
    end: RemoteServiceEnd
    made: list[Partition]
    representative: Representative

    @classmethod
    def built(
        cls, bench: Bench, owner: Owner, vpn: BuiltVpn, kind: type[RemoteServiceEnd] = RemoteServiceEnd
    ) -> ServiceStage:
        """Around a way home through a VPN, which need not be up."""
        console, table = vpn.beneath.console, table_of(bench)
        made = partitions.make(owner, console.namespace, table.partitions)
        serve_names(owner, console.namespace, load_destinations(bench).inbound, made)
        server = owner.namespace("service")
        vpn.service.gateway.join_representative(server)
        end = _end(kind, bench, owner, vpn, made)
        return cls(bench, owner, vpn, end, made, Representative(server))

    def with_end(self, kind: type[RemoteServiceEnd]) -> ServiceStage:
        """The same with another console's side, as one that is broken on purpose."""
        return replace(self, end=_end(kind, self.bench, self.owner, self.vpn, self.made))

    @property
    def promised(self) -> Promised:
        elsewhere = tuple(address for one in self.made for address in (one.own, one.console))
        return promised_by(self.bench, table_of(self.bench), elsewhere, auth="")

    @property
    def behind(self) -> Behind:
        inside = tuple((one.name, one.namespace) for one in self.made)
        return Behind(self.vpn.beneath.console.namespace, f"ppp{FIRST_UNIT}", inside)

    def verify(self, tcp_ports: range | None = None) -> Iterator[CheckResult]:
        """Every check of the representative, while the sessions are up. What must not get in is sent from the gateway's
        end of the console's session, past the gateway's own firewall. Raises what ended one of them."""
        address, mine = table_of(self.bench).ppp_address, REPRESENTATIVES[1].ip
        up = PppUp(REPRESENTATIVES_CARD, mine, address, (), MTU_IN_ESP, "")
        end = LinkEnd(self.vpn.service.gateway.namespace, f"ppp{FIRST_OF_SERVICE}")
        for result in Verification(
            self.representative, up, self.promised, self.behind, tcp_ports or ALL_PORTS, end=end
        ).run():
            if (failure := self.end.ended()) is not None:
                raise CarrierLostError(str(failure))
            yield result


def _end(
    kind: type[RemoteServiceEnd], bench: Bench, owner: Owner, vpn: BuiltVpn, made: list[Partition]
) -> RemoteServiceEnd:
    """The console's side, and the sessions that it opens."""
    table, ports = table_of(bench), load_destinations(bench).inbound
    console, tunnel, account = vpn.beneath.console, vpn.path.link.tunnel, vpn.service.account
    end = owner.own(kind(console, tunnel, account, bench.near_end.ppp, REPRESENTATIVES[1].ip, Progress.silent()))
    own = ServiceSession(CONSOLE, table.ppp_address, ports if table.console else ())
    end.sessions = (own, *(ServiceSession(one.name, one.alternate, (), one) for one in made if one.allowed))
    return end


def table_of(bench: Bench) -> InboundTable:
    """A bench's own, which it has."""
    assert bench.inbound is not None
    return bench.inbound
