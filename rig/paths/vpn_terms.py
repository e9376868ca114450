"""What both ends of a VPN know of each other (§3.3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from rig.config.bench import Bench, VpnTable
from rig.config.bench_files import load_destinations
from rig.config.destinations import Destinations
from rig.config.secret_files import secret_value
from rig.drivers.base.secret import Secret
from rig.drivers.ipsec.charon import Policy

POLICIES = {
    # The paper's "160-bit MD5" cannot be: HMAC-MD5 has 128 bits, 160 is SHA-1. It names no group. Both are offered.
    "paper-2007": Policy(("3des-sha1-modp1024", "3des-md5-modp1024"), ("3des-sha1", "3des-md5")),
    "today": Policy(("aes256-sha256-modp2048",), ("aes256-sha256",)),
}


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
