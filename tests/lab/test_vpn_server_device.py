"""A VPN gateway that is a device under test, charon and xl2tpd by hand, and ``rig connect`` as its console (§2.1.3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from rig.config.bench_files import load
from rig.drivers.ipsec.charon import Charon
from rig.drivers.net import firewall
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.netlink import IPRoute
from rig.parts.hosts.emulated import EmulatedHosts
from rig.paths.vpn_terms import POLICIES
from rig.run.owner import Owner
from tests.lab.at_an_interface import at_the_interface
from tests.lab.xl2tpd import Xl2tpd

SECONDS = 60.0
SECRET = "what the device has"
SERVER = IPv4Address("129.42.160.16")
INTERFACE = IPv4Interface("192.168.10.1/24")
INSIDE, HOSTS = IPv4Interface("192.0.2.9/30"), IPv4Interface("192.0.2.10/30")
BENCH = """
extends = "vpn"
[internet]
console = "192.168.10.2/24"
router = "192.168.10.1"
[vpn-gateway]
interface = "dut0"
secret = {{ environment = "RIG_TEST_DEVICE" }}
chap = {{ environment = "{chap}" }}
[expect]
pool = "198.51.100.72/29"
ca = "{ca}"
"""
LNS = f"""\
listen-addr = {SERVER}
[lns default]
ip range = 198.51.100.73-198.51.100.78
local ip = 198.51.100.65
require authentication = no
name = vpn"""


@dataclass(frozen=True)
class Device:
    """The gateway, and how many packets of a console's it has let past itself in clear."""

    namespace: NetworkNamespace
    folder: Path
    ca: str

    def connect(self, chap: str = "RIG_TEST_DEVICE") -> tuple[int, dict[str, object]]:
        file = self.folder / "bench.toml"
        file.write_text(BENCH.format(ca=self.ca, chap=chap))
        command = [sys.executable, "-m", "rig", "connect", "--bench", str(file), "--json"]
        environment = {**os.environ, "RIG_TEST_DEVICE": SECRET, "RIG_TEST_GUESS": "a guess"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS)
        assert done.stdout, done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    folder, ppp = tmp_path_factory.mktemp("device"), tmp_path_factory.mktemp("ppp")
    with Owner() as owner, at_the_interface(owner, "gateway", INTERFACE) as gateway:
        gateway.add_address("lo", IPv4Interface(f"{SERVER}/32"))
        hosts = EmulatedHosts(load("vpn"), owner, "svc0")
        gateway.join("services0", hosts.namespace, "svc0")
        gateway.add_address("services0", INSIDE)
        hosts.namespace.add_address("svc0", HOSTS)
        hosts.namespace.add_route(IPv4Network("0.0.0.0/0"), "svc0", str(INSIDE.ip))
        gateway.add_route(IPv4Network("0.0.0.0/0"), "services0", str(HOSTS.ip))
        gateway.forward()
        hosts.start().wait_ready()
        charon = owner.own(Charon(gateway, folder / "charon"))
        charon.wait_ready()
        charon.load("vpn", SERVER, None, POLICIES["paper-2007"], SECRET)
        (ppp / "chap-secrets").write_text(f'"HMCACCT" * "{SECRET}" *\n')
        words = ("auth", "require-chap", "name vpn", "mtu 1350", "mru 1350", "nodefaultroute")
        # Asked at one address of several, it would answer from another.
        owner.own(Xl2tpd(gateway, ppp, LNS, words)).wait_listening()
        yield Device(gateway, folder, str(hosts.ca))


@pytest.mark.paper("2.1.3", "3.3")
def test_a_gateway_of_other_peoples_is_held_to_what_a_console_can_see(device: Device) -> None:
    status, verdict = device.connect()
    assert status == 0, verdict["message"]
    checks = verdict["checks"]
    assert isinstance(checks, list)
    held = {check["name"] for check in checks if check["held"]}
    assert {"TLS POST to an authorized server", "what IKE agreed on", "nothing in clear"} <= held
    assert {check["name"] for check in checks if check["held"] is None} >= {"beside the vpn", "replayed and altered"}
    assert {check["name"] for check in checks if check["held"] is False} == set()
    way = verdict["way"]
    assert isinstance(way, dict)
    assert (way["kind"], way["facts"]) == ("vpn", {"auth": "CHAP"})


@pytest.mark.paper("3.3")
def test_what_it_refuses_is_said(device: Device) -> None:
    status, verdict = device.connect(chap="RIG_TEST_GUESS")
    assert (status, verdict["outcome"]) == (21, "AUTHENTICATION REFUSED")


@pytest.mark.paper("2.1.3")
def test_a_gateway_that_lets_a_server_be_missing_is_found(device: Device) -> None:
    refused = "FORWARD -d 129.42.160.49/32 -p tcp -j REJECT --reject-with tcp-reset"
    firewall.apply(device.namespace, f"*filter\n-I {refused}\nCOMMIT\n")
    try:
        status, verdict = device.connect()
    finally:
        firewall.apply(device.namespace, f"*filter\n-D {refused}\nCOMMIT\n")
    assert status == 1, verdict["trace"]
    checks = verdict["checks"]
    assert isinstance(checks, list)
    assert [check["target"] for check in checks if check["held"] is False] == ["129.42.160.49:443"]


def test_the_interface_is_back_afterwards(device: Device) -> None:
    device.connect()
    with closing(IPRoute()) as link:
        assert link.link_lookup(ifname="dut0")
