"""An inbound call works once, whatever happens to the machine meanwhile."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from rig.jobs.arming import TRIES, Arming, ArmingError, ArmingState, Record, Step
from rig.jobs.credentials import derive

ADDRESS = "10.253.0.1"


def reopened(file: Path) -> ArmingState:
    """What the next process makes of the record; it arms anew where the old one lets nobody in."""
    with Arming.opened(file, ADDRESS, 60) as (arming, new):
        return ArmingState.USED if new else arming.record.state


def armed(file: Path) -> Arming:
    arming = Arming(file, Record("serial", ADDRESS, 4e9))
    arming._write()
    return arming


def test_the_worked_example_of_the_credentials() -> None:
    """Catches a derivation that is not the documented one."""
    secret = derive("example key", IPv4Address(ADDRESS), "00112233445566778899aabbccddeeff")
    assert (secret.user, secret.password) == (ADDRESS, "m3w6k7tshbvtjatcvb756ok36e")


def test_no_two_armings_have_the_same_credentials(tmp_path: Path) -> None:
    serials = set()
    for number in range(3):
        with Arming.opened(tmp_path / f"{number}.json", ADDRESS, 60) as (arming, new):
            assert new
            serials.add(arming.record.serial)
    assert len(serials) == 3


def test_an_arming_that_still_waits_is_gone_on_with(tmp_path: Path) -> None:
    """The machine was started anew while it waited: who was told the credentials can still call."""
    file = tmp_path / "one.json"
    with Arming.opened(file, ADDRESS, 60) as (first, _):
        serial = first.record.serial
    with Arming.opened(file, ADDRESS, 60) as (second, new):
        assert (second.record.serial, new) == (serial, False)


def test_another_ppp_address_is_another_arming(tmp_path: Path) -> None:
    armed(tmp_path / "one.json")
    with Arming.opened(tmp_path / "one.json", "10.253.0.9", 60) as (_, new):
        assert new


def test_two_processes_do_not_wait_for_the_same_call(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    with Arming.opened(file, ADDRESS, 60), pytest.raises(ArmingError, match="another process"):  # noqa: SIM117
        with Arming.opened(file, ADDRESS, 60):
            pass


def test_its_time_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    Arming(file, Record("serial", ADDRESS, 1.0))._write()
    assert reopened(file) is ArmingState.USED


def test_a_record_that_cannot_be_read_arms_nothing(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text('{"serial": "x"')
    with pytest.raises(ArmingError, match=r"one\.json"):  # noqa: SIM117
        with Arming.opened(file, ADDRESS, 60):
            pass


def test_wrong_credentials_are_counted_and_end_it(tmp_path: Path) -> None:
    arming = armed(tmp_path / "one.json")
    for number in range(1, TRIES + 1):
        arming.step(Step.ANSWER)
        arming.step(Step.WRONG)
        assert arming.record.wrong == number
    assert arming.record.state is ArmingState.REFUSED
    with pytest.raises(ArmingError):
        arming.step(Step.ANSWER)


@given(steps=some.lists(some.sampled_from(Step), max_size=30))
def test_after_somebody_has_authenticated_nobody_ever_does_again(
    steps: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    arming = armed(tmp_path_factory.mktemp("arming") / "one.json")
    authenticated = 0
    for step in steps:
        try:
            arming.step(step)
        except ArmingError:
            continue
        authenticated += step is Step.AUTHENTICATED
    assert authenticated <= 1


SCRIPT = (Step.ANSWER, Step.WRONG, Step.ANSWER, Step.AUTHENTICATED)
KILLABLE = ("fsync", "replace", "open", "close")


def dies_at(number: int) -> None:
    """From now on the process is killed at the so-many-th of the calls that write a record."""
    count = itertools.count(1)

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if next(count) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    for name in KILLABLE:
        setattr(os, name, deadly(getattr(os, name)))


def run_until_killed(file: Path, number: int) -> Iterator[str]:
    """The steps that a process says were taken before it was killed there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        arming = Arming(file, Record("serial", ADDRESS, 4e9))
        dies_at(number)
        for step in SCRIPT:
            arming.step(step)
            os.write(writing, step.name.encode() + b"\n")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        yield from said.read().split()
    os.waitpid(child, 0)


@pytest.mark.parametrize("number", range(1, 22))
def test_killed_at_any_moment_it_is_never_usable_twice(tmp_path: Path, number: int) -> None:
    """Wherever the process dies while it writes, what is found is the state before the step, or after it."""
    file = tmp_path / "one.json"
    armed(file)
    taken = list(run_until_killed(file, number))
    state = reopened(file)
    if len(taken) >= 3:  # the good caller was answered: whether they got in nobody knows, so nobody does again
        assert state is ArmingState.USED
    else:  # before that, in the state before the step, or after it
        assert state in (ArmingState.ARMED, ArmingState.USED)
    if len(taken) == 1:
        wrong = Record("", "", 0) if state is ArmingState.USED else msgspec.json.decode(file.read_bytes(), type=Record)
        assert state is ArmingState.USED or wrong.wrong == 1  # the answered call was refused, and that is on the disk
