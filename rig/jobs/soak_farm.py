"""Calls on all benches of a farm that are free, side by side: ``rig soak --place``. See docs/farm.md.

labgrid and the rig cannot share an environment, so its side is a program: ``rig-labgrid-farm`` has the places, and says
what happens in JSON objects, one a line.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig import lab
from rig.drivers.base.errors import CannotRunError, InternalError, Interrupted
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.typed_json import from_json
from rig.drivers.modem.number import Number
from rig.jobs.ending import to_its_end
from rig.jobs.soak import Log, in_words, judge
from rig.jobs.soak_arms import arm_of
from rig.run.progress import Progress
from rig.run.transcript import stamp
from rig.verdict.soak import SoakCall, SoakVerdict

PROGRAM = "rig-labgrid-farm"
CHOSEN = "RIG_LABGRID"
"""The environment's word for where that is, should PATH not have it."""
LOST, LOST_STATUS = "BENCH LOST", 4
END_SECONDS = 150.0
"""Benches that are interrupted take everything down meanwhile."""


class Said(msgspec.Struct, frozen=True):
    """A line of the farm's: a ``place`` that is had, with a ``call`` that was made there, or why it was ``lost``; or an
    ``error``, which is the farm's last word."""

    place: str = ""
    call: SoakCall | None = None
    lost: str = ""
    error: str = ""


@dataclass(frozen=True)
class FarmPlan:
    """``tags`` that a place must have, as the farm reads them; ``calls`` in all, those on disk included; ``pause``
    between two of a bench, in seconds."""

    tags: str
    numbers: tuple[Number, ...]
    calls: int
    pause: float = 0.0

    def command(self, made: int) -> list[str]:
        """Of the farm's program, after so many calls. Raises CannotRunError where it is not there."""
        program = os.environ.get(CHOSEN) or shutil.which(PROGRAM)
        if not program or not shutil.which(program):
            raise CannotRunError(
                f"there is no {program or PROGRAM} here",
                f"pip install rig-labgrid, in an environment of its own, and have it in PATH, or in {CHOSEN}",
            )
        numbers = [word for number in self.numbers for word in ("--number", number)]
        return [program, "--calls", f"{self.calls - made}", self.tags, *numbers, "--pause", f"{self.pause:g}"]


def run(plan: FarmPlan, folder: Path | None, progress: Progress) -> SoakVerdict:
    """Make the calls that are still to be made, and judge all. Raises as Log does, and CannotRunError."""
    name = f"places {plan.tags}"
    log = Log(folder, name, plan.numbers)
    verdict = SoakVerdict(name, lab.current(), plan.numbers, plan.calls)
    made = len(log.calls)
    if made:
        progress.note(f"going on after {made} calls")
    if made < plan.calls:
        command = plan.command(made)
        with to_its_end(verdict, progress, None, "giving the benches back"), _farm(command) as farm:
            progress.begin(f"{plan.calls - made} calls")
            try:
                _follow(_lines(farm), log, plan.calls, progress)
            except Interrupted:
                _give_back(farm)
                _follow(_lines(farm), log, plan.calls, progress)  # the calls that were over by then
                raise
    judge(verdict, log.calls)
    places = sorted({call.arm for call in log.calls})
    verdict.arms = [arm_of(place, [call for call in log.calls if call.arm == place]) for place in places]
    return verdict


@contextlib.contextmanager
def _farm(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The farm's program, until it has ended."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield process
        finally:
            _give_back(process)


def _give_back(farm: subprocess.Popen[bytes]) -> None:
    """Its calls are interrupted; it ends when everything is down, or in END_SECONDS."""
    assert farm.stdin is not None
    if not farm.stdin.closed:
        farm.stdin.close()
        killed = threading.Timer(END_SECONDS, farm.kill)
        killed.daemon = True
        killed.start()


def _lines(process: subprocess.Popen[bytes]) -> Iterator[Said]:
    assert process.stdout is not None
    while True:
        with waiting():
            line = process.stdout.readline()
        if not line:
            break
        try:
            yield from_json(line, Said)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InternalError(f"{process.args!r} said {line[:120]!r}: {error}") from None
    if process.wait():
        raise InternalError(f"{process.args!r} ended with {process.returncode}")


def _follow(said: Iterator[Said], log: Log, wanted: int, progress: Progress) -> None:
    """Each call into the log as it comes. Raises CannotRunError for what the farm could not do."""
    for one in said:
        if one.error:
            raise CannotRunError(one.error)
        number = len(log.calls) + 1
        if one.call is not None:
            log.add(msgspec.structs.replace(one.call, number=number, arm=one.place))
        elif one.lost:
            now = stamp(time.time())
            log.add(SoakCall(number, now, LOST, LOST_STATUS, message=one.lost, arm=one.place))
        else:
            progress.note(f"{one.place} is had")
            continue
        progress.advance(number, wanted)
        progress.note(in_words(log.calls[-1]))
