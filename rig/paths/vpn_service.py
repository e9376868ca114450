"""What both ends of a VPN know of each other; and the end that the rig stands in for: gateway and service hosts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from drivers.base.secret import Secret
from drivers.ipsec.charon import Policy
from drivers.net import firewall
from rig.config.bench import Bench, VpnTable
from rig.config.bench_files import load_destinations
from rig.config.destinations import Destinations
from rig.config.secret_files import secret_value
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.vpn_server.gateway import HOSTS_CARD, VpnGateway
from rig.run.owner import Owner

POLICIES = {
    # The paper's "160-bit MD5" cannot be: HMAC-MD5 has 128 bits, 160 is SHA-1. It names no group. Both are offered.
    "paper-2007": Policy(("3des-sha1-modp1024", "3des-md5-modp1024"), ("3des-sha1", "3des-md5")),
    "today": Policy(("aes256-sha256-modp2048",), ("aes256-sha256",)),
}

CONSOLE = "console"
"""Whom the session is for that leads to the console itself."""


@dataclass(frozen=True)
class VpnTerms:
    """``table``: the bench's; ``secret`` of IKE, ``account`` of PPP; ``allowed``: what is to be reached through it."""

    table: VpnTable
    account: Secret
    allowed: Destinations
    secret: str = field(repr=False)

    @classmethod
    def of(cls, bench: Bench) -> VpnTerms:
        """A bench's. Raises UsageError for a secret that cannot be had."""
        vpn = bench.vpn_gateway
        assert vpn is not None
        allowed = replace(load_destinations(bench), name_servers=(), vpn=())
        secret = secret_value(bench, "vpn-gateway.secret", vpn.secret, secrets.token_urlsafe(18))
        account = Secret(vpn.account, secret_value(bench, "vpn-gateway.chap", vpn.chap, secrets.token_urlsafe(18)))
        return cls(vpn, account, allowed, secret)

    @property
    def policy(self) -> Policy:
        """What the ends offer and take, and when they make it anew."""
        vpn, offered = self.table, POLICIES[self.table.policy]
        return Policy(offered.ike, offered.esp, vpn.rekey, vpn.rekey_spread, vpn.lifetime, vpn.silence, vpn.patience)


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
