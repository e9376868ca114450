"""Home through a VPN, over the customer's Internet connection (§2.1.3) or a modem's (§2.2.2): IKE and ESP to a server
of §5.2, L2TP inside, PPP by CHAP inside that, and all further connections over PPP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network

from rig.config.bench import Bench, RemoteModemTable
from rig.config.destinations import Destinations
from rig.console.console import Console
from rig.drivers.base.errors import RigError
from rig.drivers.ipsec.charon import Charon
from rig.links.near_end import NearEnd
from rig.links.ppp_role import Calling
from rig.links.vpn_link import VpnLink
from rig.links.vpn_tunnel import NAME, VpnTunnel
from rig.paths.modem import up_of
from rig.paths.path import Path, over
from rig.paths.up import Kind, Up
from rig.paths.vpn_terms import VpnTerms
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import PppReport, Verdict

BENEATH_SECONDS = 0.5
"""How often the way beneath is looked at, while nobody tells that it is gone."""


class VpnPath:
    """``near``: whose link is the VPN; ``allowed``: what is to be reached through it; ``beneath``: the way that the
    VPN goes itself; ``lower_is_up`` is told of that once it is, before IKE; ``policy``: the bench's, by its name."""

    kind: Kind = "vpn"

    def __init__(
        self,
        near: NearEnd,
        link: VpnLink,
        allowed: Destinations,
        beneath: Path,
        policy: str,
        lower_is_up: Callable[[Up], None],
    ) -> None:
        self.policy = policy
        self.near = near
        self.link = link
        self.allowed = allowed
        self.beneath = beneath
        self._lower_is_up = lower_is_up

    def open(self, told: Verdict) -> Up:
        """The way beneath, IKE, L2TP, PPP. Raises as that way does, IkeError, and what L2TP and PPP raise."""
        lower = self.beneath.open(told)
        self._lower_is_up(lower)
        told.port = self.link.port
        self.link.tunnel.rekeyed = told.rekeys.append
        with over(self.beneath):
            self.near.open()
            self.near.connect(self.link.dial)
            began = time.monotonic()
            up = self.near.start_ppp()
        told.timing.ppp = time.monotonic() - began
        told.ppp = PppReport.of(up)
        details = {"association": self.link.tunnel.agreed_on, "policy": self.policy}
        way = up_of(self.near, up, self.allowed)
        queued = lower.queued_seconds
        return replace(way, kind=self.kind, underlay=lower, details=details, queued_seconds=queued)

    def alive(self) -> bool:
        return self.near.session.running and self.beneath.alive()

    def ends_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            # PPP would miss a way beneath that is gone only when its own echo has gone unanswered three times.
            if self.near.session.wait_end(min(left, BENEATH_SECONDS)) or not self.beneath.alive():
                return True
        return not self.alive()

    def failure(self) -> RigError:
        return self.near.failure() if self.beneath.alive() else self.beneath.failure()

    def close(self) -> None:
        self.near.hang_up()
        self.beneath.close()


def console_end(
    bench: Bench, terms: VpnTerms, beneath: Path, console: Console, owner: Owner, progress: Progress
) -> tuple[VpnPath, Charon]:
    """A console's charon, started, and its end of a VPN."""
    server = terms.table.server
    charon = owner.own(Charon(console.namespace, owner.folder / f"charon-{console.namespace.name}", progress.detail))
    tunnel = VpnTunnel(charon, RemoteModemTable(server, timeout=terms.table.timeout), progress)
    link = VpnLink(tunnel)
    near = owner.own(NearEnd(console, link, Calling(terms.account, "chap"), bench.near_end.ppp, progress))
    link.lost = near.lost

    def lower_is_up(lower: Up) -> None:
        """Nothing but the VPN goes that way; charon is told of the gateway from where we are now."""
        if lower.ppp is not None:
            console.namespace.add_route(IPv4Network(f"{server}/32"), lower.interface)
        charon.load(NAME, lower.source, server, terms.policy, terms.secret)

    return VpnPath(near, link, terms.allowed, beneath, terms.table.policy, lower_is_up), charon
