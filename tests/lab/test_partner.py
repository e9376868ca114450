"""``rig partner``: far ends for a device under test, which here is ``rig dial`` in a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import IO, TypeVar

import pytest

from rig.callhome import wire
from rig.callhome.transaction import Entry, Manifest
from rig.drivers.ipsec.charon import Charon
from rig.drivers.net.http_connect import ProxyError
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.netlink import IPRoute
from rig.drivers.ppp.ppp_log import Addresses
from rig.paths.proxy import Tunnels
from rig.paths.up import direct
from rig.paths.vpn_terms import POLICIES
from rig.run.owner import Stoppable
from tests.lab.xl2tpd import Xl2tpd

SECONDS = 60.0
SECRET = "the account's own"

GATEWAY = """
extends = "loopback-instant"
[near-end]
account = "device"
user-id = ""
secret = { environment = "RIG_TEST_DEVICE" }
"""
PARTITION = (
    GATEWAY
    + """
[i5os]
interface = "dut0"
address = "192.0.2.130/30"
peers = ["192.0.2.129"]
numbers = ["18005550100"]
"""
)
DEVICE = """
[expect]
unauthorized-host = "129.42.160.51"
[near-end]
account = "device"
user-id = ""
secret = { environment = "RIG_TEST_DEVICE" }
"""
DEVICE_WITH_MODEM = DEVICE + '[near-end.modem]\nport = "PORT"\n'
DEVICE_WITHOUT_MODEM = (
    DEVICE + '[near-end.remote-modem]\npartition = "192.0.2.130"\ninterface = "dut1"\naddress = "192.0.2.129/30"\n'
)


class Said(list[str]):
    """What a far end has said until now, by lines."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def wait_for(self, *words: str) -> None:
        """Read on until it says one of these; nothing more comes from one that has ended."""
        for line in self._stream:
            self.append(line)
            if any(word in line for word in words):
                return


@contextmanager
def partner(name: str, bench: Path | None = None) -> Iterator[Said]:
    """A far end that runs, from when it says that it is ready; all that it says, whole once it has ended."""
    command = [sys.executable, "-m", "rig", "partner", name, *(["--bench", str(bench)] if bench else [])]
    environment = {**os.environ, "RIG_TEST_DEVICE": SECRET}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        said = Said(process.stderr)
        try:
            said.wait_for("signed by", "UDP 1701")
            yield said
        finally:
            process.send_signal(signal.SIGINT)
            said += process.communicate(timeout=SECONDS)[1].splitlines(keepends=True)
        assert process.returncode == 130, "".join(said)


def dial(bench: Path, number: str = "1-800-555-0100") -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "rig", "dial", "--number", number, "--bench", str(bench), "--json"]
    environment = {**os.environ, "RIG_TEST_DEVICE": SECRET}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


@pytest.mark.paper("2.1.1")
def test_the_gateway_stands_there_for_a_device_with_a_modem(tmp_path: Path) -> None:
    """It says where the device's modem is, who called, and what the fence has dropped of theirs."""
    (tmp_path / "gateway.toml").write_text(GATEWAY)
    with partner("lig", tmp_path / "gateway.toml") as said:
        [port] = re.findall(r"your device's modem is (\S+);", "".join(said))
        (tmp_path / "device.toml").write_text(DEVICE_WITH_MODEM.replace("PORT", port))
        status, verdict = dial(tmp_path / "device.toml")
        said.wait_for("destination is not authorized")  # said once the caller has gone
    assert status == 0, verdict
    told = "".join(said)
    assert "0100-1: the caller is 198.51.100." in told
    assert "destination is not authorized" in told
    assert SECRET not in told


@pytest.fixture
def ethernet() -> Iterator[IPRoute]:
    """Two network interfaces of this machine with a cable between them; the first has an address."""
    with closing(IPRoute()) as link:
        link.link("add", ifname="dut0", kind="veth", peer={"ifname": "dut1"})
        link.addr("add", index=link.link_lookup(ifname="dut0")[0], address="203.0.113.7", prefixlen=24)
        yield link
        link.link("del", index=link.link_lookup(ifname="dut0")[0])


@pytest.mark.paper("2.1.4.2")
def test_the_partition_stands_there_for_a_device_on_a_network(ethernet: IPRoute, tmp_path: Path) -> None:
    """Both sides take an interface of this machine for the run; each is back afterwards, with its addresses."""
    (tmp_path / "partition.toml").write_text(PARTITION + '[faults]\ndrop = "OCRP#1"\n')
    (tmp_path / "device.toml").write_text(DEVICE_WITHOUT_MODEM)
    with partner("i5os", tmp_path / "partition.toml") as said:
        status, verdict = dial(tmp_path / "device.toml")
        refused, _ = dial(tmp_path / "device.toml", "1-900-555-0100")
    assert status == 0, verdict
    assert refused == 13
    told = "".join(said)
    assert "connected at 115200 bit/s" in told
    assert "19005550100 may not be dialled" in told
    assert "held   fault drop OCRP#1: once, of 2 such messages" in told
    [index] = ethernet.link_lookup(ifname="dut0")
    assert [address.get_attr("IFA_LOCAL") for address in ethernet.get_addr(index=index, family=2)] == ["203.0.113.7"]
    assert ethernet.link_lookup(ifname="dut1")


def test_an_interface_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "partition.toml").write_text(PARTITION)
    command = [sys.executable, "-m", "rig", "partner", "i5os", "--bench", str(tmp_path / "partition.toml")]
    environment = {**os.environ, "RIG_TEST_DEVICE": SECRET}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS)
    assert result.returncode == 2
    assert "network interface dut0: there is none; there are " in result.stderr


def test_a_secret_that_was_made_is_refused_where_nobody_would_learn_it(tmp_path: Path) -> None:
    """Catches a gateway that stands there and lets nobody in."""
    command = [sys.executable, "-m", "rig", "partner", "lig", "--bench", "loopback-instant"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert result.returncode == 2
    assert "key 'near-end.secret' is \"generated\"" in result.stderr


def test_a_secret_that_was_made_is_shown_once_at_a_terminal(tmp_path: Path) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-m", "rig", "partner", "lig", "--bench", "loopback-instant"]
    with subprocess.Popen(command, stderr=slave) as process:
        os.close(slave)
        said = b""
        try:
            while b"for this run alone" not in said or not said.endswith(b"\n"):
                said += os.read(master, 4096)
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(OSError):  # its end
                while data := os.read(master, 4096):
                    said += data
            process.wait(SECONDS)
            os.close(master)
    [(account, secret)] = re.findall(r"account (\S+), secret (\S+)", said.decode())
    assert account == "HMCACCT.HMC0001"
    assert said.decode().count(secret) == 1


_Stoppable = TypeVar("_Stoppable", bound=Stoppable)


@contextmanager
def closing_down(thing: _Stoppable) -> Iterator[_Stoppable]:
    try:
        yield thing
    finally:
        thing.stop()


ROUTER = """
extends = "{base}"
[internet]
interface = "dut0"
"""


@contextmanager
def device() -> Iterator[NetworkNamespace]:
    """A device at the other end of this machine's interface dut0: a console that does what a test has it do."""
    namespace = NetworkNamespace("device-under-test")
    namespace.create()
    try:
        with closing(IPRoute()) as link, namespace.path.open("rb") as inside:
            link.link("add", ifname="dut0", kind="veth", peer={"ifname": "eth0", "net_ns_fd": inside.fileno()})
        namespace.set_up("eth0")
        namespace.add_address("eth0", IPv4Interface("192.168.10.2/24"))
        namespace.add_route(IPv4Network("0.0.0.0/0"), "eth0", "192.168.10.1")
        yield namespace
    finally:
        with closing(IPRoute()) as link:  # at once: the kernel clears a namespace at its leisure
            link.link("del", index=link.link_lookup(ifname="dut0")[0])
        namespace.remove()


def said_of(bench: str, tmp_path: Path, do: Callable[[NetworkNamespace, str], None], more: str = "") -> str:
    """What the far end says of a device that does something; ``do`` is told where the servers' authority is."""
    file = tmp_path / "device.toml"
    file.write_text(ROUTER.format(base=bench) + more)
    with device() as namespace, partner(str(file)) as said:
        ca = re.search(r"signed by (\S+)", "".join(said))
        assert ca is not None
        do(namespace, ca[1])
    return "".join(said)


def handshake(connection: socket.socket, ca: str) -> None:
    context = ssl.create_default_context(cafile=ca)
    with context.wrap_socket(connection, server_hostname="129.42.160.48") as secured:
        assert secured.version() is not None


@pytest.mark.paper("2.1.2.1")
def test_a_device_on_the_network_is_told_what_it_did(tmp_path: Path) -> None:
    def do(namespace: NetworkNamespace, ca: str) -> None:
        handshake(direct(namespace, IPv4Address("129.42.160.48"), 443, 10), ca)
        with contextlib.suppress(OSError):
            direct(namespace, IPv4Address("129.42.160.51"), 443, 0.3)
        with direct(namespace, IPv4Address("129.42.160.49"), 443, 10) as plain:
            plain.sendall(b"GET /secret HTTP/1.1\r\n\r\n")
            with contextlib.suppress(OSError):  # the server ends what is no TLS
                plain.recv(100)

    said = said_of("internet", tmp_path, do)
    assert "opened a connection to 129.42.160.48:443" in said
    assert "NOT ALLOWED: opened a connection to 129.42.160.51:443" in said
    assert "NOT ALLOWED: sent in clear to 129.42.160.49:443: 'GET /secret HTTP/1.1'" in said
    assert "opened 3 connections; 1 times it did what it may not, 1 times it spoke in clear" in said


@pytest.mark.paper("4.2")
def test_what_a_device_has_sent_is_told_by_file_and_reason_and_what_may_not_leave(tmp_path: Path) -> None:
    """The device is a few lines of http.client, which speak the format."""
    (tmp_path / "patterns.txt").write_text("Acme\n")
    files = {"hmc.eed": b"lshmc -V, lssysconn -r all, of Acme's", "PMap.eed": b"nothing"}
    entries = tuple(Entry(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items())
    manifest = Manifest("1" * 32, "heartbeat", "a device", entries)

    def do(namespace: NetworkNamespace, ca: str) -> None:
        plain = direct(namespace, IPv4Address("129.42.160.48"), 443, 10)
        connection = http.client.HTTPConnection("129.42.160.48", 443)
        connection.sock = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="129.42.160.48")
        half = wire.part(manifest, entries[1], 0)
        for request, body in (
            (wire.opening(manifest), wire.opening(manifest).body),
            (wire.part(manifest, entries[0], 0), files["hmc.eed"]),
            (half, files["PMap.eed"][:3]),  # and then it is gone
        ):
            connection.putrequest(request.method, request.target)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            if request is not half:
                assert connection.getresponse().read()
        connection.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            connection.sock.recv(1)  # until the centre has seen that there is no more
        connection.close()

    said = said_of("internet", tmp_path, do, '[call-home]\nforbidden = "patterns.txt"\n')
    assert "a device calls home: heartbeat, 2 files" in said
    assert "NOT ALLOWED: hmc.eed: what may not leave is in it, line 1 of patterns.txt" in said
    assert "PMap.eed: 3 of 7 bytes, and then no more" in said
    assert "a device called home, heartbeat: hmc.eed whole, 37 bytes in 1 TLS session; PMap.eed: 3 of 7 bytes" in said
    assert "Acme" not in said


@pytest.mark.paper("2.1.2.2")
def test_a_device_behind_a_proxy_is_told_for_whom_it_asked(tmp_path: Path) -> None:
    def do(namespace: NetworkNamespace, ca: str) -> None:
        tunnels = Tunnels(IPv4Address("192.168.10.1"), 3128)
        handshake(tunnels(namespace, IPv4Address("129.42.160.48"), 443, 10.0), ca)
        with contextlib.suppress(ProxyError):
            tunnels(namespace, IPv4Address("129.42.160.51"), 443, 10.0)

    said = said_of("proxy-open", tmp_path, do)
    assert "asked the proxy for 129.42.160.48:443" in said
    assert "NOT ALLOWED: asked the proxy for 129.42.160.51:443" in said
    assert "opened 2 connections; 1 times it did what it may not, 0 times it spoke in clear" in said


VPN = """
[vpn-gateway]
server = "129.42.160.16"
secret = { environment = "RIG_TEST_DEVICE" }
chap = { environment = "RIG_TEST_DEVICE" }
"""


@pytest.mark.paper("2.1.3", "3.3")
def test_a_device_has_a_vpn_and_is_told_what_else_it_did(tmp_path: Path) -> None:
    """The device is charon and xl2tpd, by hand."""
    file, server = tmp_path / "device.toml", IPv4Address("129.42.160.16")
    file.write_text(ROUTER.format(base="vpn") + VPN)
    (tmp_path / "ppp").mkdir()
    with device() as namespace, partner(str(file)) as said:
        ca = re.search(r"signed by (\S+)", "".join(said))
        assert ca is not None
        namespace.add_route(IPv4Network(f"{server}/32"), "eth0", "192.168.10.1")
        with namespace.netlink() as link:
            link.route("del", dst="0.0.0.0/0")  # everything else is to go through the VPN
        with closing_down(Charon(namespace, tmp_path / "charon")) as charon:
            charon.wait_ready()
            charon.load("vpn", IPv4Address("192.168.10.2"), server, POLICIES["paper-2007"], SECRET)
            charon.initiate("vpn", 20)
            (tmp_path / "ppp" / "chap-secrets").write_text(f'"HMCACCT" * "{SECRET}" *\n')
            words = ("name", "HMCACCT", "noipdefault", "defaultroute", "mtu", "1350", "nodetach")
            with closing_down(Xl2tpd(namespace, tmp_path / "ppp", f"[lac home]\nlns = {server}", words)) as daemon:
                daemon.wait_listening()
                daemon.command("c home")
                daemon.next(Addresses)
                handshake(direct(namespace, IPv4Address("129.42.160.48"), 443, 10), ca[1])
                with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as beside:
                    beside.bind(("192.168.10.2", 0))
                    beside.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                    beside.sendto(b"hello", ("192.168.10.1", 9))
            charon.terminate("vpn")
    told = "".join(said)
    for line in ("UDP to 129.42.160.16:500", "UDP to 129.42.160.16:4500", "IKE is up", "the VPN is down"):
        assert line in told
        assert f"NOT ALLOWED: {line}" not in told
    found = set(re.findall("NOT ALLOWED: (.*)", told))
    # Its kernel may say that nobody is at UDP 4500 any more, once its charon is gone; its pppd goodbye, once IKE is.
    assert found - {f"ICMP to {server}", f"UDP to {server}:1701"} == {"UDP to 192.168.10.1:9"}
    assert "0 times it spoke in clear" in told
    assert SECRET not in told
