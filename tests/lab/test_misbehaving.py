"""Gateways that misbehave, and callers: how each call ends, that it ends in time, that nothing is left of it, and that
the next one is as any other. Runs on the bench ``misbehaving``."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from rig.checks import every as checks
from rig.drivers.base.errors import AuthenticationError, CarrierLostError, PppError, RigError
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.ppp.misbehaving import line as misbehaving
from rig.drivers.ppp.misbehaving.callers import CALLERS
from rig.drivers.ppp.misbehaving.gateways import GATEWAYS
from rig.drivers.ppp.misbehaving.peer import Peer
from rig.drivers.ppp.misbehaving.roles import Account, Caller
from rig.drivers.serial.serial_line import SerialLine
from rig.links.making import caller_at
from rig.run.owner import Owner
from rig.run.progress import Progress
from tests.process_memory import resident

if TYPE_CHECKING:
    from rig.fixtures.line import Gateway, Line
    from rig.links.near_end import NearEnd
    from rig.parts.rack import FarEnd

SOUND = "1-800-555-0100"
WATCHED_SECONDS, ENDING_SECONDS = 0.8, 6.0
"""So long a session that came up is watched: one that is to stay, and one that is to end."""
NOT_UP_SECONDS, UP_SECONDS = 7.0, 25.0
"""So long PPP may take where it is not to come up, and where it is: on a machine that does much else."""
MOST_SECONDS = 40.0
"""From opening the modem to having it closed again: dialling, PPP, and hanging up."""
CALLER_SECONDS = 4.0
AT_ONCE = 5
MEMORY_MB = 4.0
"""By which no process may have grown, over one call."""
UP = None
NOT_UP = PppError, "not up within"
LOST = CarrierLostError, "the line dropped"
ENDED_BY_PEER = CarrierLostError, "LCP terminated by peer"


@dataclass(frozen=True)
class Ends:
    """How a call ends: ``error`` and words of it, None where the session comes up; ``then``: and how that ends, where
    it does by itself."""

    error: tuple[type[RigError], str] | None
    then: tuple[type[RigError], str] | None = None


GATEWAYS_END: dict[str, Ends | tuple[Ends, Ends]] = {
    "sound": Ends(UP),
    "pap-never": Ends((PppError, "no answer to PAP")),
    "pap-late": Ends(UP),
    "pap-refused": Ends((AuthenticationError, "authentication was refused: no")),
    "pap-of-another": Ends(UP),  # pppd minds no identifier there: docs/conform.md, 30.3
    "pap-without-message": Ends(UP),
    "hang-up-at-pap": Ends(LOST),
    "hang-up-behind-pap": Ends(LOST),
    "ends-at-once": Ends((PppError, "LCP terminated by peer")),
    "ipcp-silent": Ends(NOT_UP),
    "no-address": Ends((PppError, "Could not determine local IP address")),
    "address-zero": Ends((PppError, "Could not determine local IP address")),
    "address-for-ever": Ends(NOT_UP),
    "its-own-address": Ends(UP),
    "no-name-servers": Ends(UP),
    "ipcp-again": Ends(UP),
    "address-changes": Ends(UP),
    "ends-in-session": Ends(UP, ENDED_BY_PEER),
    "hang-up-in-session": Ends(UP, LOST),
    "silent": Ends(NOT_UP),
    "nak-for-ever": Ends((PppError, "looped back")),  # ten magic numbers that are refused are taken for one's own
    "reject-for-ever": Ends(NOT_UP),
    "acks-of-another": Ends(NOT_UP),
    "option-flood": Ends(NOT_UP),
    "request-flood": (Ends(NOT_UP), Ends(UP)),  # as the requests fall: each begins all anew
    "terminate-flood": (Ends(UP, ENDED_BY_PEER), Ends((PppError, "LCP terminated by peer"))),
    "echo-flood": Ends(UP),
    "unknown-protocols": Ends(UP),
    "lcp-again": Ends(UP),
    "echoes-lost": Ends(UP),
    "echoes-of-another": Ends(UP),
    "damaged-frames": Ends(UP),
    "enormous-frames": Ends(UP),
    "garbage": Ends(UP),
    "looped-back": Ends((PppError, "looped back")),
    "accm-all-ones": Ends(UP),
    "mru-64": Ends(UP),
    "code-rejects": Ends(NOT_UP),
    "no-ip": Ends(NOT_UP),
    "hang-up-at-lcp": Ends(LOST),
    "hang-up-behind-lcp": Ends(LOST),
    "hang-up-at-ipcp": Ends(LOST),
}


def pppds() -> set[str]:
    return {each.parent.name for each in Path("/proc").glob("[0-9]*/comm") if each.read_text().strip() == "pppd"}


@pytest.fixture(scope="module")
def near(far_end: FarEnd) -> Iterator[NearEnd]:
    """Who calls them: a console and a modem of its own."""
    with Owner() as owner:
        port = far_end.install_line("who-calls", "")
        near = caller_at(owner, far_end.bench, port, far_end.secret, Progress(), "who-calls")
        near.ppp = structs.replace(near.ppp, timeout=UP_SECONDS)
        yield near


def ended_as(near: NearEnd, number: str, patience: float, watched: float) -> tuple[Ends, float]:
    """How a call to it ends, with so much ``patience`` for PPP, ``watched`` for so long where it comes up; and after
    how many seconds all is over."""
    patient, near.ppp = near.ppp, structs.replace(near.ppp, timeout=patience)
    began = time.monotonic()
    near.open()
    then: RigError | None = None
    try:
        try:
            near.dial(Number(number))
            near.start_ppp()
        except RigError as error:
            return Ends((type(error), str(error))), time.monotonic() - began
        if near.session.wait_end(watched):
            then = near.failure()
        return Ends(UP, (type(then), str(then)) if then is not None else None), time.monotonic() - began
    finally:
        near.hang_up()
        near.ppp = patient


def is_as(found: tuple[type[RigError], str] | None, wanted: tuple[type[RigError], str] | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return found[0] is wanted[0] and wanted[1] in found[1]


def test_the_table_has_all_gateways_that_there_are() -> None:
    assert list(GATEWAYS_END) == list(GATEWAYS)
    assert len(GATEWAYS) + len(CALLERS) > 60


@pytest.mark.parametrize("manner", GATEWAYS)
def test_a_call_to_one_ends_as_the_table_says(near: NearEnd, far_end: FarEnd, manner: str) -> None:
    number = f"555-03{list(GATEWAYS).index(manner) + 1:02}"
    processes = [each.process.pid for each in far_end.processes.values() if each.process.pid]
    held, before = pppds(), {process: resident(process) for process in processes}
    wanted = GATEWAYS_END[manner]
    ways = wanted if isinstance(wanted, tuple) else (wanted,)
    comes_up = all(way.error is UP for way in ways)
    found, seconds = ended_as(
        near,
        number,
        UP_SECONDS if comes_up else NOT_UP_SECONDS,
        ENDING_SECONDS if any(way.then for way in ways) else WATCHED_SECONDS,
    )
    assert any(is_as(found.error, way.error) and is_as(found.then, way.then) for way in ways), found
    assert seconds < MOST_SECONDS
    assert pppds() == held
    grown = {process: resident(process) - before[process] for process in processes}
    assert max(grown.values()) < MEMORY_MB, grown


def test_after_all_of_them_a_sound_gateway_is_found_sound(modem: Line) -> None:
    session = modem.call(SOUND).start_ppp()
    results = [result for check in checks.for_way("modem") for result in session.run_check(check)]
    assert [result.line() for result in results if result.held is not True] == []


def test_a_sound_caller_of_ours_has_an_address_from_the_gateway(near: NearEnd, far_end: FarEnd) -> None:
    """So that what the others do is not lost for another reason."""
    near.link.open()
    try:
        near.link.dial(Number(SOUND))
        account = Account(far_end.secret.user.encode(), far_end.secret.password.encode())
        peer = Peer(Caller(lambda: secrets.token_bytes(4), account), GATEWAYS["sound"])
        assert misbehaving.run(near.modem.line.fileno(), peer, 3) == "its time is up"
        assert peer.role.up
    finally:
        near.link.hang_up()


def misbehave(port: str, manner: str, seconds: float) -> str:
    """Call the sound gateway from there, and be such a caller; why it ended."""
    with SerialLine(port, rtscts=False) as line:
        own = Modem(line)
        own.reset()
        own.configure()
        own.dial(Number(SOUND))  # six at once take a while on a busy machine, as one does
        peer = Peer(Caller(lambda: secrets.token_bytes(4), Account(b"HMCACCT.HMC0001", b"no secret")), CALLERS[manner])
        return misbehaving.run(line.fileno(), peer, seconds)


@pytest.fixture(scope="module")
def ports(far_end: FarEnd) -> list[str]:
    """Where five modems are, beside the near end's."""
    return [far_end.install_line(f"caller-{number}", "") for number in range(AT_ONCE)]


@pytest.mark.parametrize("first", range(0, len(CALLERS), AT_ONCE))
def test_the_gateway_serves_another_beside_five_who_misbehave(
    near: NearEnd, gateway: Gateway, ports: list[str], first: int
) -> None:
    """On a hunt group of six lines; and he is fenced, alone, as ever. Once they have gone nothing is left of them."""
    manners = list(CALLERS)[first : first + AT_ONCE]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        theirs = [
            pool.submit(misbehave, port, manner, CALLER_SECONDS) for port, manner in zip(ports, manners, strict=False)
        ]
        try:
            near.open()
            near.dial(Number(SOUND))
            up = near.start_ppp()
            ended = [each.result() for each in theirs]
        except BaseException:
            near.hang_up()
            raise
    assert set(ended) <= {"its time is up", "hung up", "the line is gone"}, dict(zip(manners, ended, strict=True))
    assert near.session.is_up
    assert gateway.rules.count(f"! -s {up.local}/32") == 1
    near.hang_up()
    gateway.wait_idle(20)
    assert gateway.sessions == 0
    assert gateway.rules.count("! -s ") == 0, "somebody is fenced who is not there"


def test_a_caller_who_says_nothing_is_hung_up(near: NearEnd, gateway: Gateway) -> None:
    """He has the bench's five seconds; a line that he held would be nobody else's."""
    near.link.open()
    try:
        began = time.monotonic()
        near.link.dial(Number(SOUND))
        peer = Peer(Caller(lambda: secrets.token_bytes(4), Account(b"", b"")), CALLERS["silent"])
        why = misbehaving.run(near.modem.line.fileno(), peer, 20)
        assert why == "the line is gone"
        assert 4 < time.monotonic() - began < 15
    finally:
        near.link.hang_up()
    gateway.wait_idle(20)
