"""What any console must do with a service representative's call, by the paper (§2.2.1); on an emulated bench the rig's
own console, on a real one the device that is dialled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.errors import AuthenticationError, BusyError, CallError, RigError
from rig.drivers.base.secret import Secret
from rig.drivers.modem.call import Connection
from rig.drivers.modem.number import Number
from rig.drivers.ppp.up import PppUp
from rig.verdict.verdict import CheckResult

from .results import require

if TYPE_CHECKING:
    from rig.config.bench import Bench
    from rig.links.near_end import NearEnd

FREE_SECONDS = 30.0
"""How long a device's line may be busy after a call that has ended."""
WRONG = {"the account of somebody else": Secret("somebody", "else"), "a secret that was guessed": Secret("", "guessed")}
PROMISES = (
    "first packets of the call", "authentication of the caller", "listed ports of the console, TCP",
    "listed ports of the console, UDP", "other TCP ports of the console", "other UDP ports of the console",
    "partitions that are not allowed", "the console's other networks", "false source addresses",
    "other protocols to the console", "connections outward through the call",
)  # fmt: skip


@dataclass
class Found:
    """What came of the calls. ``refused``: of those with wrong credentials, by what was wrong."""

    refused: dict[str, RigError | None] = field(default_factory=dict)
    connection: Connection | None = None
    up: PppUp | None = None
    results: list[CheckResult] = field(default_factory=list)
    alive: bool = False
    after: list[CheckResult] = field(default_factory=list)

    def named(self, name: str) -> list[CheckResult]:
        return [result for result in (*self.results, *self.after) if result.name == name]


def _try(call: Callable[[], object]) -> RigError | None:
    try:
        call()
    except RigError as error:
        return error
    return None


@pytest.fixture(scope="module")
def found(bench: Bench, request: pytest.FixtureRequest) -> Found:
    """Two calls with wrong credentials, one with the right ones that is verified whole, and one after that."""
    return _emulated(request) if bench.emulated else _device(bench, request)


def _emulated(request: pytest.FixtureRequest) -> Found:
    from rig.fixtures.inbound import armed, connected
    from rig.jobs.answer import as_before, second_call
    from rig.run.progress import Progress

    stage = request.getfixturevalue("inbound_bench")
    found = Found()
    before = stage.end.surroundings()
    folder = request.getfixturevalue("tmp_path_factory").mktemp("inbound")
    with armed(stage, folder / "arming.json") as one:
        for what, secret in WRONG.items():
            wrong = replace(secret, user=secret.user or one.credentials.user)

            def call(credentials: Secret = wrong) -> None:
                with connected(one, credentials):
                    pass

            found.refused[what] = _try(call)
        caller = one.representative()
        try:
            found.connection = caller.dial(one.number)
            found.up = caller.start_ppp()
            _verify(found, caller, stage.promised, stage.behind)
        finally:
            caller.hang_up()
        one.wait()
    found.after.append(as_before(stage.end, before))
    again = stage.representative(stage.end.credentials, Progress.silent(), "again")
    found.after.append(second_call(again, one.number))
    return found


def _device(bench: Bench, request: pytest.FixtureRequest) -> Found:
    from rig.checks.inbound.promise import promised_by
    from rig.checks.inbound.representative import Behind
    from rig.config.ports import near_port
    from rig.config.secret_files import read_secret
    from rig.jobs.answer import second_call
    from rig.links.making import caller_at
    from rig.run.progress import Progress

    assert bench.inbound is not None
    auth = bench.inbound.auth
    written = request.config.getoption("--number")
    number = Number(written) if written else bench.near_end.number
    if number is None:
        pytest.fail("a device needs the number that it answers: --number", pytrace=False)
    owner, secret = request.getfixturevalue("owner"), read_secret(bench, "")
    found = Found()

    def caller_with(credentials: Secret, name: str) -> NearEnd:
        return caller_at(
            owner,
            bench,
            near_port(bench),
            credentials,
            Progress.silent(),
            name,
            auth,
        )

    for position, (what, wrong) in enumerate(WRONG.items()):
        stranger = caller_with(replace(wrong, user=wrong.user or secret.user), f"stranger-{position}")

        def call(caller: NearEnd = stranger) -> None:
            try:
                _reach(caller, number)
                caller.start_ppp()
            finally:
                caller.hang_up()

        found.refused[what] = _try(call)
    caller = caller_with(secret, "caller")
    try:
        found.connection = _reach(caller, number)
        found.up = caller.start_ppp()
        _verify(found, caller, replace(promised_by(bench, bench.inbound), strangers=True), Behind())
    finally:
        caller.hang_up()
    again, end = caller_with(secret, "again"), time.monotonic() + FREE_SECONDS
    result = second_call(again, number)
    while result.held is None and time.monotonic() < end:
        result = second_call(again, number)
    found.after.append(result)
    return found


def _reach(caller: NearEnd, number: Number) -> Connection:
    """Dial a device that may still be hanging up: its line is busy then, for FREE_SECONDS at most."""
    end = time.monotonic() + FREE_SECONDS
    while True:
        caller.open()
        try:
            return caller.dial(number)
        except BusyError:
            caller.hang_up()
            if time.monotonic() > end:
                raise


def _verify(found: Found, caller: NearEnd, promised: object, behind: object) -> None:
    from rig.checks.inbound.representative import Verification

    assert found.up is not None
    found.results = list(Verification(caller, found.up, promised, behind).run())  # type: ignore[arg-type]
    found.alive = caller.session.running


@pytest.mark.parametrize("what", WRONG)
def test_wrong_credentials_are_refused(found: Found, what: str) -> None:
    """Catches a console that lets anybody in who knows the number, or half of what it takes."""
    assert isinstance(found.refused[what], AuthenticationError), f"with {what}: {found.refused[what] or 'let in'}"


def test_a_caller_who_was_refused_does_not_use_the_arming_up(found: Found) -> None:
    """Catches a wrong number that locks the representative out."""
    assert found.up is not None


def test_the_call_connects_at_a_rate(found: Found) -> None:
    assert found.connection is not None
    assert found.connection.rate >= 300


@pytest.mark.paper("2.2.1")
def test_the_caller_is_given_the_address_of_the_bench(bench: Bench, found: Found) -> None:
    assert bench.inbound is not None
    assert found.up is not None
    assert found.up.local == bench.inbound.remote


@pytest.mark.paper("2.2.1")
def test_the_console_is_at_its_ppp_address(bench: Bench, found: Found) -> None:
    """Catches a console that answers with an address of one of its networks."""
    assert bench.inbound is not None
    assert found.up is not None
    assert found.up.peer == bench.inbound.ppp_address


def test_packets_of_576_bytes_fit(found: Found) -> None:
    """RFC 791: what every host must take."""
    assert found.up is not None
    assert found.up.mtu >= 576


@pytest.mark.paper("2.2.1", "5.3")
@pytest.mark.parametrize("promise", PROMISES)
def test_what_is_promised_holds(bench: Bench, found: Found, promise: str) -> None:
    """See rig.checks.inbound.representative, which says what each of them catches."""
    if promise.startswith("listed ports") and bench.inbound is not None and not bench.inbound.console:
        promise = "listed ports of the console"
    require(found.named(promise))


@pytest.mark.paper("2.2.1")
def test_each_partition_that_is_allowed_is_reached(bench: Bench, found: Found) -> None:
    assert bench.inbound is not None
    allowed = [f"partition {one.name}" for one in bench.inbound.partitions if one.allowed]
    if not allowed:
        pytest.skip("the bench allows no partition")
    require([result for name in allowed for result in found.named(name)])
    assert all(found.named(name) for name in allowed)


def test_the_session_stands_at_the_end_of_all_that(found: Found) -> None:
    """Catches a console that a port scan takes down: a silent line would have held every check that is shut."""
    assert found.alive


@pytest.mark.paper("2.2.1")
def test_a_second_call_is_not_answered(found: Found) -> None:
    """The arming is for one call."""
    require(found.named("a second call is not answered"))


def test_everything_is_as_it_was_before_the_call(found: Found) -> None:
    """Catches rules, routes and addresses that stay."""
    results = found.named("rules, routes, addresses as before")
    if not results:
        pytest.skip("only who is on the answering side can see that")
    require(results)


def test_the_failures_above_are_of_the_calls_own(found: Found) -> None:
    """Catches a run in which no call came about, and nothing was refused for its credentials."""
    assert not any(isinstance(error, CallError) for error in found.refused.values())
