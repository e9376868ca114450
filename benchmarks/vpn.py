"""A VPN: from nothing to TLS through it, and eight megabytes, beside swanctl, xl2tpd and pppd by hand; many at once."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import msgspec

from benchmarks.figures import Figure, in_rate, in_time, notes, over, spread
from rig.config.bench import Bench
from rig.config.bench_files import load, load_tls_policy
from rig.config.destinations import HTTPS
from rig.drivers.ppp import ppp_log
from rig.drivers.ppp.pppd import quote
from rig.drivers.tls import client as tls
from rig.links.vpn_tunnel import NAME
from rig.parts.hosts.hosts import SINK
from rig.paths.up import direct
from rig.paths.vpn_beneath import OUTSIDE_CARD
from rig.paths.vpn_building import BuiltVpn, build
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict
from tests.lab.test_vpn_clients import consoles
from tests.lab.xl2tpd import Xl2tpd

RUNS, CROWD_RUNS = 10, 3
TARGET, GOODPUT, CROWD = 1.3, 0.9, 2.0
BYTES = 8 << 20
BUSY = "four keep the lab's one processor busy, and sixteen have four times as much to do"
WAITING = "what the lab's one processor has to do for sixteen is more than fits into the time in which four wait"
SATELLITE = 600.0
"""Milliseconds there and back by a geostationary one."""
SERVER = IPv4Address("129.42.160.48")


def first_byte(one: BuiltVpn) -> None:
    """TLS with a server, by whatever the console has for a way."""
    connection = direct(one.beneath.console.namespace, SERVER, HTTPS, 10.0)
    secured, _ = tls.secure(connection, load_tls_policy(one.bench), Path(one.ca), SERVER)
    secured.close()


def carried(one: BuiltVpn) -> float:
    """Bytes a second of a file that curl sends to a server. Raises CalledProcessError where that does not take it."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(BYTES)
        command = ["curl", "--silent", "--fail", "--output", "/dev/null", "--cacert", one.ca]
        command += ["--data-binary", f"@{file.name}", f"https://{SERVER}{SINK}"]
        with one.beneath.console.namespace.entered():
            began = time.monotonic()
            subprocess.run(command, check=True, timeout=120)
    return BYTES / (time.monotonic() - began)


def ours(one: BuiltVpn) -> tuple[float, float]:
    """Seconds to the first byte, and bytes a second."""
    began = time.monotonic()
    one.path.open(Verdict("", ""))
    first_byte(one)
    took = time.monotonic() - began
    rate = carried(one)
    one.path.close()
    return took, rate


@contextlib.contextmanager
def by_hand(one: BuiltVpn, folder: Path) -> Iterator[Xl2tpd]:
    """xl2tpd ready on the console, as somebody sets it up."""
    account = one.service.terms.account
    (folder / "chap-secrets").write_text(f"{quote(account.user)} * {quote(account.password)} *\n")
    section = f"[lac home]\nlns = {one.service.terms.table.server}\nautodial = no"
    options = (
        "name",
        account.user,
        "noipdefault",
        "defaultroute",
        "refuse-pap",
        "mtu",
        "1350",
        "mru",
        "1350",
        "nodetach",
    )
    daemon = Xl2tpd(one.beneath.console.namespace, folder, section, options)
    try:
        daemon.wait_listening()
        yield daemon
    finally:
        daemon.stop()


def theirs(one: BuiltVpn, folder: Path) -> tuple[float, float]:
    """The same as :func:`ours`. charon is there already, and knows of the gateway, for both."""
    folder.mkdir()
    with by_hand(one, folder) as daemon:
        began = time.monotonic()
        swanctl(one, "--initiate", "--child", NAME)
        daemon.command("c home")
        daemon.next(ppp_log.Addresses)
        first_byte(one)
        took = time.monotonic() - began
        rate = carried(one)
        daemon.command("d home")
    swanctl(one, "--terminate", "--ike", NAME)
    return took, rate


def swanctl(one: BuiltVpn, *words: str) -> None:
    with one.beneath.console.namespace.entered():
        subprocess.run(
            ["swanctl", *words, "--uri", f"unix://{one.charon.path}"], check=True, timeout=30, capture_output=True
        )


def beside_hands() -> list[Figure]:
    with Owner() as owner:
        one = build(load("vpn"), owner, Progress.silent())
        ours(one)  # charon knows of the gateway then
        pairs = [(ours(one), theirs(one, owner.folder / f"hand{number}")) for number in range(RUNS)]
    mine, hand = [pair[0][0] for pair in pairs], [pair[1][0] for pair in pairs]
    ratio = sorted(mine)[RUNS // 2] / sorted(hand)[RUNS // 2]
    rates, others = [pair[0][1] for pair in pairs], [pair[1][1] for pair in pairs]
    goodput = sorted(rates)[RUNS // 2] / sorted(others)[RUNS // 2]
    return [
        Figure("a VPN, to TLS through it", spread(mine, "s"), f"{ratio:.2f} times as long", f"at most {TARGET} times",
               ratio <= TARGET, in_time("swanctl, xl2tpd, pppd by hand", mine, hand)),
        Figure("8 MB through a VPN", spread(rates, "MB/s", 1e-6), f"{goodput:.2f} times as fast",
               f"at least {GOODPUT} times", goodput >= GOODPUT,
               in_rate("swanctl, xl2tpd, pppd by hand", rates, others, "MB/s", 1e-6)),
    ]  # fmt: skip


def crowd(bench: Bench, count: int, away: float) -> float:
    """Seconds until so many consoles, each ready, have opened theirs at once, with a gateway that many ms away, there
    and back."""
    with consoles(count, bench) as made, ThreadPoolExecutor(count) as pool:
        if away:
            made[0].service.gateway.namespace.impair(OUTSIDE_CARD, delay=away, loss=0, reorder=0)
        began = time.monotonic()
        list(pool.map(lambda one: one.path.open(Verdict("", "")), made))
        return time.monotonic() - began


def at_once(where: str, away: float, why: str) -> Figure:
    """``why``: what is in the way of the target."""
    bench = load("vpn")
    wide = msgspec.structs.replace(bench.vpn_gateway, pool=IPv4Network("198.51.100.96/27"))  # type: ignore[type-var]
    bench = msgspec.structs.replace(bench, vpn_gateway=wide)
    pairs = [(crowd(bench, 16, away), crowd(bench, 4, away)) for _ in range(CROWD_RUNS)]
    ratio = sorted(many / few for many, few in pairs)[CROWD_RUNS // 2]
    few = f"4 at once: {spread([pair[1] for pair in pairs], 's')}; {ratio:.2f} times as long"
    missed = over(ratio, CROWD, why)
    return Figure(
        f"16 consoles at once, their VPNs up{where}", spread([pair[0] for pair in pairs], "s"),
        notes(few, missed), f"under {CROWD:g} times", ratio < CROWD,
    )  # fmt: skip


def measure() -> list[Figure]:
    """The last with what waits rather than computes: were they served one after another, it would take as long."""
    return [*beside_hands(), at_once("", 0, BUSY), at_once(f", {SATELLITE:g} ms away", SATELLITE, WAITING)]
