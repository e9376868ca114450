"""Home through a VPN over the customer's Internet connection (§2.1.3): IKE and ESP to a server of §5.2, L2TP inside,
PPP by CHAP inside that, and all further connections over PPP."""

from __future__ import annotations

import time
from dataclasses import replace

from drivers.base.errors import RigError
from rig.config.destinations import Destinations
from rig.links.near_end import NearEnd
from rig.links.vpn_link import VpnLink
from rig.paths.modem import up_of
from rig.paths.up import Kind, Up
from rig.verdict.verdict import PppReport, Verdict


class VpnPath:
    """``near``: whose link is the VPN; ``allowed``: what is to be reached through it; ``underlay``: the way that the
    VPN goes itself, and nothing else may; ``policy``: the bench's, by its name."""

    kind: Kind = "vpn"

    def __init__(self, near: NearEnd, link: VpnLink, allowed: Destinations, underlay: Up, policy: str) -> None:
        self.policy = policy
        self.near = near
        self.link = link
        self.allowed = allowed
        self.underlay = underlay

    def open(self, told: Verdict) -> Up:
        """IKE, L2TP, PPP. Raises IkeError, and what L2TP and PPP raise."""
        told.port = self.link.port
        self.link.rekeyed = told.rekeys.append
        self.near.open()
        self.near.connect(self.link.dial)
        began = time.monotonic()
        up = self.near.start_ppp()
        told.timing.ppp = time.monotonic() - began
        told.ppp = PppReport.of(up)
        details = {"association": self.link.agreed_on, "policy": self.policy}
        way = up_of(self.near, up, self.allowed)
        return replace(way, kind=self.kind, underlay=self.underlay, details=details)

    def alive(self) -> bool:
        return self.near.session.running

    def ends_within(self, seconds: float) -> bool:
        return self.near.session.wait_end(seconds)

    def failure(self) -> RigError:
        return self.near.failure()

    def close(self) -> None:
        self.near.hang_up()
