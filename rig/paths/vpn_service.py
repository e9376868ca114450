"""Whom a VPN is made with, where the rig stands in for that: the gateway, and its service hosts."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.bench import Bench
from rig.drivers.net import firewall
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.vpn_server.gateway import HOSTS_CARD, VpnGateway
from rig.paths.vpn_terms import VpnTerms
from rig.run.owner import Owner

CONSOLE = "console"
"""Whom the session is for that leads to the console itself."""


@dataclass(frozen=True)
class VpnService:
    """The gateway's end."""

    terms: VpnTerms
    gateway: VpnGateway
    hosts: EmulatedHosts

    @classmethod
    def made(cls, bench: Bench, owner: Owner, hosts: EmulatedHosts) -> VpnService:
        """The gateway started, and joined to nobody yet; :meth:`wait_ready`."""
        terms = VpnTerms.of(bench)
        gateway = VpnGateway(
            owner, terms.table, terms.policy, terms.secret, terms.account, terms.allowed, sessions_of(bench)
        )
        return cls(terms, gateway, hosts)

    @classmethod
    def with_hosts(cls, bench: Bench, owner: Owner) -> VpnService:
        """The gateway, and service hosts that are reached through it alone."""
        firewall.back_end()  # found once, before the processes are forked that ask for it too
        hosts = EmulatedHosts(bench, owner, HOSTS_CARD)
        service = cls.made(bench, owner, hosts)
        service.gateway.join_services(hosts.namespace)
        hosts.start()
        return service

    def wait_ready(self) -> None:
        """Until the gateway takes who comes, and the hosts are there. Raises what kept one from it."""
        self.gateway.wait_ready()
        self.hosts.process.wait_ready()


def sessions_of(bench: Bench) -> dict[str, IPv4Address] | None:
    """Those of remote service (§2.2.2), by whom each is for: the console, and each partition."""
    if bench.inbound is None:
        return None
    partitions = {one.name: one.address for one in bench.inbound.partitions}
    return {CONSOLE: bench.inbound.ppp_address, **partitions}
