"""``rig partner``: a far end for a device under test, until interrupted. What the device does is told as it does it."""

from __future__ import annotations

import collections
import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from rig.callhome import forbidden
from rig.config.bench import Bench
from rig.config.bench_files import forbidden_file
from rig.config.secret_files import is_made
from rig.drivers.base.errors import UsageError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.secret import Secret
from rig.drivers.modem.number import Number
from rig.drivers.net.packet_tap import PacketTap
from rig.jobs import faults
from rig.parts.exchange.emulated import EmulatedExchange
from rig.parts.i5os.emulated import EmulatedPartition
from rig.parts.rack import FarEnd
from rig.paths.building import serve
from rig.probes.device import Deed, DeviceWatch
from rig.run.control import Control, ControlError
from rig.run.owner import Owner
from rig.run.process import PartnerError
from rig.run.progress import Progress
from rig.verdict.callhome import counted


def lig(bench: Bench, progress: Progress) -> None:
    """Stand in for the gateway. Raises Interrupted when it is to end, PartnerError when it ended by itself."""
    if bench.lig is None:
        raise UsageError(f"bench {bench.name}: the table [lig], which says what to stand in for, is missing")
    if is_made(bench.near_end.secret):
        _refuse_without_terminal(bench, "near-end.secret")
    with Owner() as owner, faults.told(bench, owner.folder, progress):
        with progress.step("LIG, service hosts" + (", exchange" if bench.exchange else "")):
            far = FarEnd(bench, owner)
        if far.lines is not None:
            where = _line_of_device(far, far.lines)
            progress.note(f"ready: your device's modem is {where}; the gateway has {', '.join(gateway_numbers(bench))}")
        else:
            progress.note("ready: the gateway's modem answers")
        progress.note(f"its service hosts' certificates are signed by {far.ca}")
        if is_made(bench.near_end.secret):
            _tell(far.secret)
        with following(far.hosts, progress):
            _follow(far.lig, progress)


def _line_of_device(far: FarEnd, lines: EmulatedExchange) -> str:
    """Its modem, made; or where its own modem's telephone cable goes."""
    if not lines.leads_outside:
        return far.near_port
    lines.lead_outside()
    return "the one whose line is on the sound card"


def gateway_numbers(bench: Bench) -> tuple[Number, ...]:
    """The numbers of an emulated exchange at which the gateway lets its customer in."""
    numbers = bench.exchange.numbers if bench.exchange else ()
    sound = (one for one in numbers if one.kind == "lig" and one.accounts == "near-end" and one.drop_after is None)
    return tuple(one.number for one in sound)


def _refuse_without_terminal(bench: Bench, key: str) -> None:
    if not sys.stderr.isatty():
        raise UsageError(
            f'bench {bench.name}: key {key!r} is "generated", which is shown at a terminal, and there is none: nobody '
            "could log in",
            f'name it in a bench of your own: extends = "{bench.name}", and {key} = {{file = "…"}}',
        )


def _tell(secret: Secret) -> None:
    """A secret that was made for this run is shown once, at a terminal: nowhere else could anybody learn it."""
    sys.stderr.write(f"for this run alone: account {secret.user}, secret {secret.password}\n")


def i5os(bench: Bench, progress: Progress) -> None:
    """Stand in for the partition that lends its modem. Raises as :func:`lig`."""
    if bench.i5os is None or not bench.i5os.interface:
        raise UsageError(
            f"bench {bench.name}: the table [i5os] with interface, address and peers is missing", "see docs/partners.md"
        )
    with Owner() as owner, faults.told(bench, owner.folder, progress):
        with progress.step("i5/OS partition" + (", LIG, service hosts, exchange" if bench.lig else "")):
            partition = FarEnd(bench, owner).partition if bench.lig else EmulatedPartition(bench, owner, None)
            assert partition is not None
            if not bench.lig:
                partition.start()
        progress.note(f"ready: {bench.i5os.address} on {bench.i5os.interface}, UDP 1701")
        _follow(partition.control, progress)


@contextlib.contextmanager
def following(hosts: Control, progress: Progress) -> Iterator[None]:
    """What the service centre says is told meanwhile, and at the end what it has of each transaction."""

    def follow() -> None:
        with contextlib.suppress(PartnerError):  # it has ended, as all of this does
            _follow(hosts, progress)

    threading.Thread(target=follow, daemon=True, name="service centre").start()
    try:
        yield
    finally:
        with contextlib.suppress(ControlError):
            for line in of_transactions(hosts.ask("transactions")):
                progress.note(line)


def of_transactions(transactions: list[dict[str, Any]]) -> Iterator[str]:
    """Each in a line: the reason, its files, what is not there."""
    for one in transactions:
        whole = [file for file in one["files"] if file["sha256"]]
        names = ", ".join(file["name"] for file in whole) or "nothing"
        half = [f"{file['name']}: {file['held']} of {file['size']} bytes" for file in one["files"] if file not in whole]
        octets, came = sum(file["size"] for file in whole), counted(len(one["sessions"]), "TLS session")
        told = f"{one['sender']} called home, {one['reason']}: {names} whole, {octets} bytes in {came}"
        yield "; ".join([told, *half])


def _follow(partner: Control, progress: Progress) -> None:
    seen = 0
    while True:
        try:
            with waiting():
                seen, lines = partner.ask("journal", seen=seen)
        except ControlError as error:
            raise PartnerError(str(error)) from error
        for is_detail, line in lines:
            (progress.detail if is_detail else progress.note)(line)


def network(bench: Bench, progress: Progress) -> None:
    """Stand in for the customer's network, the proxy in it, and the Internet, at an interface of this machine's; say
    what the device does there. Raises as :func:`lig`."""
    table = bench.internet
    if table is None or not table.interface:
        raise UsageError(
            f"bench {bench.name}: key 'internet.interface', this machine's at which the device is, is missing",
            "see docs/partners.md",
        )
    for key in made_secrets(bench):
        _refuse_without_terminal(bench, key)
    deeds: collections.deque[Deed] = collections.deque()
    more = threading.Event()
    with Owner() as owner, faults.told(bench, owner.folder, progress), contextlib.ExitStack() as stack:
        served = serve(bench, owner, progress)
        patterns = forbidden_file(bench)
        looked_for = forbidden.load(patterns) if patterns is not None else None
        watch = DeviceWatch(table.console.ip, served.allowed, served.proxy, forbidden=looked_for)

        def came_in(frame: bytes) -> None:
            deeds.extend(watch.feed(frame))
            if deeds:
                more.set()

        tap = owner.own(PacketTap(served.namespace, table.interface, came_in))
        where = "its proxy {}:{}".format(*served.proxy) if served.proxy else f"its router {table.router}"
        if bench.vpn_gateway is not None:
            where += f", the VPN gateway {bench.vpn_gateway.server}"
        progress.note(f"ready: on {table.interface} the device is {table.console}, {where}")
        progress.note(f"the service hosts' certificates are signed by {served.ca}")
        for account in served.accounts:
            _tell(account)
        try:
            stack.enter_context(following(served.hosts, progress))
            while True:
                with waiting():  # and no more than that: what is taken in here is lost when the end comes
                    more.wait()
                more.clear()
                _tell_deeds(deeds, progress)
        finally:
            tap.stop()  # with what the device has done just now
            _tell_deeds(deeds, progress)
            progress.note(watch.summary())


def made_secrets(bench: Bench) -> list[str]:
    """The keys of the secrets that are made for a run, and that a device must know."""
    proxy, vpn = bench.proxy, bench.vpn_gateway
    keys = ["proxy.secret"] if proxy is not None and proxy.account and is_made(proxy.secret) else []
    for key, value in (("secret", vpn.secret), ("chap", vpn.chap)) if vpn is not None else ():
        keys += [f"vpn-gateway.{key}"] if is_made(value) else []
    return keys


def _tell_deeds(deeds: collections.deque[Deed], progress: Progress) -> None:
    while deeds:
        deed = deeds.popleft()
        progress.note(("" if deed.good else "NOT ALLOWED: ") + deed.what)


def whatever(bench: Bench, progress: Progress) -> None:
    """Stand in for the far end that a bench has. Raises as :func:`lig`."""
    if bench.internet is not None:
        network(bench, progress)
    elif bench.i5os is not None and bench.i5os.interface:
        i5os(bench, progress)
    else:
        lig(bench, progress)
