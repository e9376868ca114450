"""The VPN gateway's machine: charon towards the Internet, the LNS behind it, and the service network behind that."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from drivers.base.secret import Secret
from drivers.ipsec.charon import Charon, Policy
from drivers.net import firewall
from drivers.net.namespace import NetworkNamespace
from rig.config.bench import VpnTable
from rig.config.destinations import HTTPS, Destinations
from rig.parts.vpn_server import lns
from rig.parts.vpn_server.lns import LnsPlan
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

SERVICES = (IPv4Interface("192.0.2.9/30"), IPv4Interface("192.0.2.10/30"))
"""The Ethernet between the gateway and the service hosts."""
ANYWHERE = IPv4Network("0.0.0.0/0")
L2TP = "[udp/1701]"


def rules(allowed: Destinations) -> str:
    """From a PPP session to an authorized server, and back; L2TP from nobody who has not come through the VPN."""
    servers = "".join(
        f"-A FORWARD -i ppp+ -d {server}/32 -p tcp --dport {HTTPS} -j ACCEPT\n" for server in allowed.servers
    )
    return (
        "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
        "-A INPUT -p udp --dport 1701 -m policy --dir in --pol none -j DROP\n"
        f"{servers}-A FORWARD -o ppp+ -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n"
    )


class VpnGateway:
    """``account``: who may open a PPP session; ``secret``: of IKE. Started when it is made; :meth:`wait_ready`."""

    def __init__(
        self, owner: Owner, table: VpnTable, policy: Policy, secret: str, account: Secret, allowed: Destinations
    ) -> None:
        self.namespace = owner.namespace("vpn")
        self._table = table
        self._policy = policy
        self._secret = secret
        self._allowed = allowed
        self.namespace.add_address("lo", IPv4Interface(f"{table.server}/32"))
        self.namespace.forward()
        firewall.apply(self.namespace, rules(allowed))
        firewall.apply(self.namespace, "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\nCOMMIT\n", version=6)
        self.charon = owner.own(Charon(self.namespace, owner.folder / "charon-vpn"))
        plan = LnsPlan(self.namespace.name, owner.folder, table.server, table.own, table.pool, (account,))
        self.process = owner.own(PartnerProcess("vpn", lns.main, (plan,), owner.folder / "vpn.log"))

    def join_services(self, hosts: NetworkNamespace, interface: str) -> None:
        """Lay the cable to the service hosts, which find their way back by it."""
        self.namespace.join("services0", hosts, interface)
        self.namespace.add_address("services0", SERVICES[0])
        hosts.add_address(interface, SERVICES[1])
        hosts.add_route(ANYWHERE, interface, str(SERVICES[0].ip))
        for server in self._allowed.servers:
            self.namespace.add_route(IPv4Network(f"{server}/32"), "services0", str(SERVICES[1].ip))

    def wait_ready(self) -> None:
        """Until both take who comes. Raises what kept one from it."""
        self.charon.wait_ready()
        server: IPv4Address = self._table.server
        selectors = ([f"{server}/32{L2TP}"], [f"0.0.0.0/0{L2TP}"])
        self.charon.load("vpn", server, None, self._policy, self._secret, selectors)
        self.process.wait_ready()
