"""Remote service over a VPN (§2.2.2): the console's side, partitions behind it, and a representative who verifies what
it is let to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rig.checks.inbound.promise import promised_by
from rig.checks.inbound.representative import Behind, Promised
from rig.checks.inbound.sessions import SessionsVerification
from rig.checks.inbound.sweep import ALL_PORTS
from rig.config.bench import Bench, InboundTable
from rig.config.bench_files import load_destinations
from rig.console import partitions
from rig.console.console import Console
from rig.console.partitions import Partition
from rig.drivers.base.errors import CarrierLostError
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs.services import serve_names
from rig.links.remote_service import FIRST_UNIT, RemoteServiceEnd, ServiceCall, ServiceSession
from rig.parts.vpn_server.gateway import REPRESENTATIVES
from rig.paths.built import Built
from rig.paths.up import Up
from rig.paths.vpn_service import CONSOLE, VpnService
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


class ThroughVpn(Built, Protocol):
    """A way home through a VPN, of the console's own or a partition's."""

    @property
    def service(self) -> VpnService: ...

    @property
    def console(self) -> Console: ...

    def service_call(self, name: str) -> ServiceCall:
        """Another session in the VPN, and whom it is for."""


@dataclass(frozen=True)
class ServiceStage:
    """What remote service takes place on. ``vpn``: which need not be up while it is built."""

    bench: Bench
    owner: Owner
    vpn: ThroughVpn
    end: RemoteServiceEnd
    made: list[Partition]
    representative: Representative

    @classmethod
    def built(cls, bench: Bench, owner: Owner, vpn: ThroughVpn) -> ServiceStage:
        console, table = vpn.console, table_of(bench)
        made = partitions.make(owner, console.namespace, table.partitions)
        serve_names(owner, console.namespace, load_destinations(bench).inbound, made)
        server = owner.namespace("service")
        vpn.service.gateway.join_representative(server)
        return cls(bench, owner, vpn, _end(bench, owner, vpn, made), made, Representative(server))

    @property
    def promised(self) -> Promised:
        elsewhere = tuple(address for one in self.made for address in (one.own, one.console))
        return promised_by(self.bench, table_of(self.bench), elsewhere, auth="")

    @property
    def behind(self) -> Behind:
        inside = tuple((one.name, one.namespace) for one in self.made)
        return Behind(self.vpn.console.namespace, f"ppp{FIRST_UNIT}", inside)

    def verify(self, home: Up, tcp_ports: Sequence[int] = ALL_PORTS) -> Iterator[CheckResult]:
        """Every check while the sessions are up, beside the way ``home``. Raises what ended one of them."""
        sessions = SessionsVerification(
            self.representative, self.vpn.service.gateway, self.end.sessions, self.promised, self.behind, home,
            self.vpn.places(home).wire,
        )  # fmt: skip
        for result in sessions.run(tcp_ports):
            if (failure := self.end.ended()) is not None:
                raise CarrierLostError(str(failure))
            yield result


def _end(bench: Bench, owner: Owner, vpn: ThroughVpn, made: list[Partition]) -> RemoteServiceEnd:
    """The console's side, and the sessions that it opens."""
    table, ports = table_of(bench), load_destinations(bench).inbound
    account, representative = vpn.service.terms.account, REPRESENTATIVES[1].ip
    made_end = RemoteServiceEnd(
        vpn.console, vpn.service_call, account, bench.near_end.ppp, representative, Progress.silent()
    )
    end = owner.own(made_end)
    own = ServiceSession(CONSOLE, table.ppp_address, ports if table.console else ())
    end.sessions = (own, *(ServiceSession(one.name, one.alternate, (), one) for one in made if one.allowed))
    return end


def table_of(bench: Bench) -> InboundTable:
    """A bench's own, which it has."""
    assert bench.inbound is not None
    return bench.inbound
