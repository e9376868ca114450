"""Home through a proxy (§2.1.2.2): squid and tinyproxy as they are, and each in ways in which it must not be."""

from __future__ import annotations

import base64
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest

from rig.checks import every as checks
from rig.checks.check import Check, Surroundings
from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.drivers.base.secret import Secret
from rig.drivers.net import firewall
from rig.drivers.net.http_connect import ProxyError
from rig.jobs.probing import surroundings
from rig.parts.proxy import proxy as part
from rig.parts.proxy.settings import ProxyPlan
from rig.paths.proxy import Tunnels
from rig.paths.proxy_building import BuiltProxy, build
from rig.paths.up import Up
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict


@dataclass(frozen=True)
class Home:
    built: BuiltProxy
    up: Up

    @property
    def around(self) -> Surroundings:
        return surroundings(self.built, self.up)

    def failed(self, *which: Check) -> set[str]:
        """The names of the results that do not hold."""
        return {result.name for check in which for result in check(self.around) if result.held is False}


@contextmanager
def home(bench: Bench) -> Iterator[Home]:
    with Owner() as owner:
        built = build(bench, owner, Progress.silent())
        yield Home(built, built.path.open(Verdict("", "")))


def with_proxy(name: str, **changes: object) -> Bench:
    bench = load(name)
    assert bench.proxy is not None
    return msgspec.structs.replace(bench, proxy=msgspec.structs.replace(bench.proxy, **changes))


@pytest.mark.paper("2.1.2.2", "5.1")
@pytest.mark.parametrize(
    ("name", "credentials"), [("proxy", "when-asked"), ("proxy", "first"), ("proxy-open", "when-asked")]
)
def test_every_check_holds(name: str, credentials: str) -> None:
    with home(with_proxy(name, credentials=credentials)) as one:
        results = [result for check in checks.for_way("proxy") for result in check(one.around)]
    assert [result.line() for result in results if result.held is False] == []
    assert sum(result.held is True for result in results) >= 20
    assert sum(result.name.startswith("TLS POST") for result in results if result.held) == 4


def test_one_that_lets_443_through_to_anybody_is_held_to_its_ports() -> None:
    with home(with_proxy("proxy-open", limited=False)) as one:
        assert one.failed(checks.where_it_lets_us) == set()


# --- proxies that are not as they should be --------------------------------------------------------------------------


@contextmanager
def told_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str], **changes: object) -> Iterator[Home]:
    """tinyproxy with other settings than the bench's."""
    sound = part.SETTINGS["tinyproxy"]

    def broken(plan: ProxyPlan) -> list[str]:
        words = sound(plan)
        file = plan.folder / "tinyproxy.conf"
        before = file.read_text()
        file.write_text(change(before))
        assert file.read_text() != before
        return words

    monkeypatch.setitem(part.SETTINGS, "tinyproxy", broken)
    with home(with_proxy("proxy-open", **changes)) as one:
        yield one


def without(word: str) -> Callable[[str], str]:
    return lambda text: "".join(line for line in text.splitlines(True) if not line.startswith(word))


@pytest.mark.paper("2.1.2.2")
def test_one_that_opens_every_port_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with told_otherwise(monkeypatch, without("ConnectPort")) as one:
        assert one.failed(checks.where_it_lets_us) == {"proxy limits ports"}


@pytest.mark.paper("2.1.2.2")
def test_one_that_lets_everybody_be_reached_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the router behind it nothing comes out, and still it did not refuse."""
    with told_otherwise(monkeypatch, without("Filter")) as one:
        assert one.failed(checks.where_it_lets_us) == {"proxy limits hosts"}


@pytest.mark.paper("2.1.2.2")
def test_one_that_asks_nobody_who_he_is_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with told_otherwise(monkeypatch, without("BasicAuth"), account="hmc") as one:
        assert one.failed(checks.who_may_pass) == {
            "proxy without credentials", "proxy with a wrong secret", "proxy with an account that there is not",
        }  # fmt: skip


def test_one_that_refuses_as_a_server_would_is_found() -> None:
    """tinyproxy 1.11 itself: 401 to wrong credentials, where RFC 7235 §3.2 has 407 (findings/)."""
    with home(with_proxy("proxy-open", account="hmc")) as one:
        results = list(checks.who_may_pass(one.around))
    assert [result.held for result in results] == [True, False, False]
    assert all("401" in result.observed for result in results[1:])


@pytest.mark.paper("2.1.2.2")
def test_a_way_around_it_is_found() -> None:
    with home(load("proxy-open")) as one:
        machine = one.built.proxy.namespace
        machine.forward()
        around = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n:FORWARD ACCEPT\nCOMMIT\n"
        firewall.apply(machine, around)
        assert one.failed(checks.around_the_proxy) == {"around the proxy"}


def test_a_secret_in_its_log_is_found() -> None:
    with home(load("proxy")) as one:
        assert one.failed(checks.credentials_go_nowhere_else) == set()
        own = one.built.proxy.plan.account
        assert own is not None
        log = one.built.proxy.plan.folder / "squid-access.log"
        log.write_text(log.read_text() + base64.b64encode(f"{own.user}:{own.password}".encode()).decode())
        assert one.failed(checks.credentials_go_nowhere_else) == {"credentials go to the proxy alone"}


class PassesOn:
    """A proxy that tells the server, too, who asks; on the proxy's machine, at another port."""

    def __init__(self, one: Home) -> None:
        namespace = one.built.proxy.namespace
        with namespace.entered():
            self.listener = socket.create_server((str(one.built.proxy.plan.address), 3129))
        firewall.apply(namespace, "*filter\n-I INPUT 1 -i lan0 -p tcp --dport 3129 -j ACCEPT\nCOMMIT\n")
        self.namespace = namespace
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                there, _ = self.listener.accept()
            except OSError:
                return
            with there:
                asked = there.recv(4096)
                host = asked.split()[1].decode().partition(":")[0]
                with self.namespace.entered():
                    onward = socket.create_connection((host, 443), 5)
                with onward:
                    onward.sendall(asked)
                    there.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.mark.paper("2.1.2.2")
def test_credentials_that_are_passed_on_are_found() -> None:
    with home(load("proxy")) as one:
        own = one.built.proxy.plan.account
        there = PassesOn(one)
        try:
            tunnels = Tunnels(one.built.proxy.plan.address, 3129, own, first=True)
            around = replace(one.around, up=replace(one.up, connect=tunnels))
            [result] = list(checks.credentials_go_nowhere_else(around))
        finally:
            there.close()
    assert result.held is False
    assert "behind it" in result.observed


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"port": 9}, "Connection refused|does not answer"), ({"credentials": None}, "407")],
    ids=["nobody at that port", "no credentials"],
)
def test_what_the_console_cannot_do_is_an_outcome(changes: dict[str, object], words: str) -> None:
    with home(load("proxy")) as one:
        tunnels = one.up.connect
        assert isinstance(tunnels, Tunnels)
        path = one.built.path
        path._tunnels = replace(tunnels, **changes)  # type: ignore[arg-type] # as a wrong bench would have it
        with pytest.raises(ProxyError, match=words) as failure:
            path.open(Verdict("", ""))
        assert failure.value.exit_status == 23


def test_a_scheme_that_the_console_does_not_speak_is_told(owner: Owner) -> None:
    console = owner.namespace("console")
    with console.entered():
        listener = socket.create_server(("127.0.0.1", 3128))

    def serve() -> None:
        there, _ = listener.accept()
        with there:
            there.recv(4096)
            there.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    tunnels = Tunnels(IPv4Address("127.0.0.1"), 3128, Secret("hmc", "secret"))
    with pytest.raises(ProxyError, match="wants negotiate, and the console speaks basic"):
        tunnels(console, IPv4Address("129.42.160.48"), 443, 5.0)
    thread.join()
    listener.close()


def squids() -> list[int]:
    """The numbers of the processes of that name."""
    found = []
    for file in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if file.read_text().strip() == "squid":
                found.append(int(file.parts[2]))
    return found


def test_a_squid_whose_rig_was_killed_is_ended_by_the_next_run() -> None:
    """It has become another user, so that the kernel no longer ends it with its parent."""
    command = [sys.executable, "-m", "rig", "connect", "--bench", "proxy", "--hold", "60"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "connections opened from outside" in line:
                break
        process.kill()
    assert squids(), "nothing was left: this shows nothing"
    end = time.monotonic() + 20
    while squids():  # a run that begins before the last of its processes has noticed leaves it to the one after
        assert time.monotonic() < end, "waited 20 s for what was left to end"
        with Owner():
            pass
