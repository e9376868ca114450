"""The near end that a bench has: by a modem of its own, a null modem, or a modem that is lent."""

from __future__ import annotations

from typing import Literal

from rig.config import profiles
from rig.config.bench import Bench, RemoteModemTable
from rig.config.secret_files import secret_value
from rig.console.console import Console
from rig.drivers.base.secret import Secret
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.links.l2tp_call import L2tpCall
from rig.links.modem_line import ModemLine, NullModem, PickUp
from rig.links.near_end import NearEnd
from rig.links.partition_tunnel import PartitionTunnel
from rig.links.ppp_role import Calling
from rig.run.owner import Owner
from rig.run.progress import Progress


def caller_at(
    owner: Owner,
    bench: Bench,
    port: str,
    secret: Secret,
    progress: Progress,
    role: str = "hmc",
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """Somebody who calls from a console of his own, by the modem at ``port``, or over the cable there."""
    console = Console.owned_by(owner, bench.near_end.allow, role)
    return owner.own(caller_from(console, bench, port, secret, progress, auth))


def caller_from(
    console: Console,
    bench: Bench,
    port: str,
    secret: Secret,
    progress: Progress,
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """Somebody who calls from a console that is there already."""
    table = bench.near_end.modem
    named = profiles.named(table.profile) if table.profile else None
    link: ModemLine | NullModem
    if named is not None and named.direct:
        link = NullModem(port, table, progress, named)
    else:
        link = ModemLine(port, table, progress)
    return NearEnd(console, link, Calling(secret, auth), bench.near_end.ppp, progress)


def borrower_of(
    owner: Owner,
    bench: Bench,
    table: RemoteModemTable,
    secret: Secret,
    progress: Progress,
    role: str = "hmc",
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """Somebody who calls by a modem that a partition lends; not joined to it yet, where it is the rig's own."""
    console = Console.owned_by(owner, bench.near_end.allow, role)
    lead_to_partition(owner, bench, console)
    link = lent_call(bench, table, console, progress)
    near = owner.own(NearEnd(console, link, Calling(secret, auth), bench.near_end.ppp, progress))
    link.lost = near.lost
    return near


def lead_to_partition(owner: Owner, bench: Bench, console: Console) -> None:
    """Give a console this machine's network interface that leads to a partition, where the bench names one."""
    table = bench.near_end.remote_modem
    if table is not None and table.address is not None:
        owner.own(BorrowedInterface(table.interface, console.namespace, table.address))


def answering_link(bench: Bench, port: str, console: Console, progress: Progress) -> ModemLine | L2tpCall:
    """What an inbound call comes over: the modem at ``port``, or one that a partition lends."""
    remote = bench.near_end.remote_modem
    if remote is not None:
        return lent_call(bench, remote, console, progress)
    assert bench.inbound is not None
    pick_up = PickUp(bench.inbound.rings, bench.inbound.answer == "s0")
    return ModemLine(port, bench.near_end.modem, progress, pick_up)


def lent_call(bench: Bench, table: RemoteModemTable, console: Console, progress: Progress) -> L2tpCall:
    """A call by a partition's modem."""

    def secret() -> bytes:
        return secret_value(bench, "near-end.remote-modem.secret", table.secret, "").encode()

    tunnel = PartitionTunnel(table, secret, console.namespace, progress)
    return L2tpCall(tunnel, bench.near_end.modem.carrier_wait)


def near_end_of(
    owner: Owner,
    bench: Bench,
    port: str,
    secret: Secret,
    progress: Progress,
    role: str = "hmc",
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """The caller that a bench has."""
    remote = bench.near_end.remote_modem
    if remote is not None:
        return borrower_of(owner, bench, remote, secret, progress, role)
    return caller_at(owner, bench, port, secret, progress, role, auth)
