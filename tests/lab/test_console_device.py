"""A console that is a device under test (§5.4), at a network interface of this machine's, and ``rig consoles`` as the
other console."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from rig.callhome.transaction import Manifest, NotReceivedError, Receipt
from rig.config.bench_files import load
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs import consoles as job
from rig.parts.consoles.announcement import PORT, TLS_PORT, Announcement, pack
from rig.parts.consoles.conversation import Hello, answer
from rig.parts.consoles.emulated import Consoles
from rig.parts.consoles.identity import Identity
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.consoles import ConsolesVerdict
from tests.lab.at_an_interface import at_the_interface

SECRET = "what the customer's consoles share"
BENCH = """
[consoles]
every = 1.0
[consoles.device]
name = "hmc7"
interface = "dut0"
address = "192.0.2.10/24"
secret = { environment = "RIG_TEST_CONSOLES" }
"""
ADDRESS = IPv4Interface("192.0.2.7/24")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ConsolesVerdict]:
    """Runs the command's job beside the device."""
    file = tmp_path / "bench.toml"
    file.write_text(BENCH)
    monkeypatch.setenv("RIG_TEST_CONSOLES", SECRET)
    return lambda: job.run(load(str(file)), Progress.silent())


class Carries:
    """A way home that has a receipt for everything, or for nothing."""

    def __init__(self, why: str = "") -> None:
        self._why = why

    def carry(self, manifest: Manifest, files: object) -> Receipt:
        if self._why:
            raise NotReceivedError(self._why)
        return Receipt(manifest.id, manifest.files)

    def rest(self) -> None:
        """There is no call."""


@pytest.mark.paper("5.4.1", "5.4.2")
@pytest.mark.parametrize("why", ["", "NO CARRIER"])
def test_a_device_that_calls_home_for_others_is_held_to_all_of_it(
    bench: Callable[[], ConsolesVerdict], why: str
) -> None:
    with Owner() as owner, at_the_interface(owner, "device", ADDRESS) as namespace:
        device = Consoles(owner, 1.0, SECRET.encode()).started(
            "device", namespace, ("eth0",), called="hmc7", server=True, way=lambda _: lambda: Carries(why)
        )
        device.process.wait_ready()
        verdict = bench()
    assert {check.name: check.held for check in verdict.checks} == {
        "finds": True,
        "speaks by ephemeral keys": True,
        "who has no certificate": True,
        "speaks after strangers, and a flood": True,
        "called home for": not why,
    }
    assert (verdict.exit == 0) == (not why)
    assert not why or why in verdict.checks[-1].observed


@pytest.mark.paper("5.4.1")
@pytest.mark.parametrize(
    ("called", "secret", "said"),
    [("hmc8", SECRET, "found hmc8"), ("hmc7", "a guess", "found nobody; datagrams that were nothing: ")],
)
def test_a_device_that_is_another_or_has_another_secret_is_not_found_and_what_was_heard_is_said(
    bench: Callable[[], ConsolesVerdict], called: str, secret: str, said: str
) -> None:
    with Owner() as owner, at_the_interface(owner, "device", ADDRESS) as namespace:
        Consoles(owner, 1.0, secret.encode()).started(
            "device", namespace, ("eth0",), called=called
        ).process.wait_ready()
        [check] = bench().checks
    assert check.held is False
    assert said in check.observed


@contextmanager
def careless(namespace: NetworkNamespace, folder: Path, *, ends: bool) -> Iterator[None]:
    """A device that speaks with anybody; or that ``ends`` every conversation before it has begun."""
    identity, number = Identity.made(secrets.token_hex(16), SECRET.encode(), folder), 0
    context = identity.context(server=True)
    context.verify_mode = ssl.CERT_NONE
    with namespace.entered():
        server = socket.create_server(("", TLS_PORT))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    over, boot = threading.Event(), time.time_ns() // 1_000_000

    def announce() -> None:
        nonlocal number
        while not over.is_set():
            number += 1
            said = Announcement(identity.id, "hmc7", boot, number, str(ADDRESS.ip), identity.fingerprint)
            sender.sendto(pack(said, SECRET.encode()), ("192.0.2.255", PORT))
            over.wait(0.5)

    def converse() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                if not ends:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        answer(secured, Hello(identity.id, "hmc7"))

    threads = [threading.Thread(target=each, daemon=True) for each in (announce, converse)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        for thread in threads:
            thread.join(5)
        sender.close()


@pytest.mark.paper("5.4.1")
@pytest.mark.parametrize(
    ("ends", "wrong"),
    [
        (False, {"who has no certificate"}),
        (True, {"speaks by ephemeral keys", "speaks after strangers, and a flood"}),
    ],
)
def test_a_device_that_speaks_with_anybody_or_with_nobody_is_found_out(
    bench: Callable[[], ConsolesVerdict], tmp_path: Path, ends: bool, wrong: set[str]
) -> None:
    with (
        Owner() as owner,
        at_the_interface(owner, "device", ADDRESS) as namespace,
        careless(namespace, tmp_path, ends=ends),
    ):
        verdict = bench()
    assert {check.name for check in verdict.checks if check.held is False} == wrong
