"""The VPN gateway's machine: charon towards the Internet, the LNS behind it, and the service network behind that."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from rig.config.bench import VpnTable
from rig.config.destinations import Destinations
from rig.drivers.base.secret import Secret
from rig.drivers.ipsec import xfrm
from rig.drivers.ipsec.charon import Charon, Policy
from rig.drivers.net import firewall
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.gateway_fence import FenceView
from rig.parts.vpn_server import lns
from rig.parts.vpn_server.lns import LnsPlan, RemoteService
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

SERVICES = (IPv4Interface("192.0.2.9/30"), IPv4Interface("192.0.2.10/30"))
"""The Ethernet between the gateway and the service hosts."""
REPRESENTATIVES = (IPv4Interface("192.0.2.17/30"), IPv4Interface("192.0.2.18/30"))
"""The Ethernet between the gateway and the service server, from where representatives come."""
GATEWAYS_CARD, HOSTS_CARD = "services0", "svc0"
"""Its ends: the gateway's, and the service hosts'."""
REPRESENTATIVES_CARD = "gateway0"
ANYWHERE = IPv4Network("0.0.0.0/0")


RULES = "*filter\n:INPUT ACCEPT\n-A INPUT -p udp --dport 1701 -m policy --dir in --pol none -j DROP\nCOMMIT\n"
"""L2TP from nobody who has not come through the VPN. What a session may reach is its own fence's."""


class VpnGateway:
    """``account``: who may open a PPP session; ``secret``: of IKE; ``sessions``: of remote
    service, see LnsPlan. Started when it is made; :meth:`wait_ready`.
    ``fence``: what the LNS has put around its sessions; ``behind``: the service hosts' end of the cable to it."""

    def __init__(
        self,
        owner: Owner,
        table: VpnTable,
        policy: Policy,
        secret: str,
        account: Secret,
        allowed: Destinations,
        sessions: dict[str, IPv4Address] | None = None,
    ) -> None:
        self.namespace = owner.namespace("vpn")
        self.server, self.pool = table.server, table.pool
        self._table = table
        self._policy = policy
        self._secret = secret
        self._starts = 2
        self._allowed = allowed
        self.namespace.add_address("lo", IPv4Interface(f"{table.server}/32"))
        firewall.apply(self.namespace, RULES)
        self._owner = owner
        self.charon = self._started(1)
        service = RemoteService(sessions, REPRESENTATIVES[1].ip) if sessions else None
        plan = LnsPlan(
            self.namespace.name, owner.folder, table.server, table.own, table.pool, (account,), allowed, service
        )
        self.fence = FenceView(self.namespace, Control(plan.control_path))
        self.process = owner.own(PartnerProcess("vpn", lns.main, (plan,), owner.folder / "vpn.log"))

    def join_services(self, hosts: NetworkNamespace, back: IPv4Network = ANYWHERE) -> None:
        """Lay the cable to the service hosts, which find their way back by it, or that to ``back``."""
        self.namespace.join(GATEWAYS_CARD, hosts, HOSTS_CARD)
        self.behind = LinkEnd(hosts, HOSTS_CARD, self.namespace.hardware_address(GATEWAYS_CARD))
        self.namespace.add_address(GATEWAYS_CARD, SERVICES[0])
        hosts.add_address(HOSTS_CARD, SERVICES[1])
        hosts.add_route(back, HOSTS_CARD, str(SERVICES[0].ip))
        # So that what leaks is seen, wherever it goes; the way that the VPN comes by has the default route.
        for half in ANYWHERE.subnets() if back == ANYWHERE else ():
            self.namespace.add_route(half, GATEWAYS_CARD, str(SERVICES[1].ip))

    def join_representative(self, representative: NetworkNamespace) -> None:
        """Lay the cable to the service server (§2.2.2), which finds its way to every session by it."""
        self.namespace.join("service0", representative, REPRESENTATIVES_CARD)
        self.namespace.add_address("service0", REPRESENTATIVES[0])
        representative.add_address(REPRESENTATIVES_CARD, REPRESENTATIVES[1])
        representative.add_route(ANYWHERE, REPRESENTATIVES_CARD, str(REPRESENTATIVES[0].ip))

    def _started(self, number: int) -> Charon:
        return self._owner.own(Charon(self.namespace, self._owner.folder / f"charon-vpn-{number}"))

    def wait_ready(self) -> None:
        """Until both take who comes. Raises what kept one from it."""
        self.charon.wait_ready()
        self.load()
        self.process.wait_ready()

    def load(self, **broken: int) -> None:
        """Tell charon whom to take. It is the console that asks for new keys: were both to, the earlier of two times
        would count, and that is more often near 27 minutes than around 30; the gateway asks where the console has not.
        ``broken``: of the policy, so that it is found."""
        late = (self._policy.rekey + self._policy.life) // 2
        policy = replace(self._policy, rekey=late, spread=0, **broken)  # type: ignore[arg-type]
        self.charon.load("vpn", self.server, None, policy, self._secret)

    def kill(self) -> None:
        """Charon dies without a word. What it gave the kernel stays there."""
        self.charon.kill()

    def start_again(self) -> None:
        """As the machine comes up again, which knows of no security association. Raises as :meth:`wait_ready`."""
        self.charon.stop()
        xfrm.flush(self.namespace)
        self.charon = self._started(self._starts)
        self._starts += 1
        self.charon.wait_ready()
        self.load()
