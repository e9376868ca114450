"""That an inbound call works once (§2.2): a durable record, from arming until somebody has got in.

Nobody can say of a machine that lost its power in the middle of a call whether the caller had authenticated. So the
record says "answering", on the disk, before the caller can speak; and whoever finds it so after a crash takes it for
used.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import msgspec

from rig.drivers.base.errors import RigError
from rig.drivers.base.typed_json import from_json

TRIES = 3
"""So many wrong credentials end an arming."""


class ArmingState(Enum):
    """ANSWERING, USED, EXPIRED and REFUSED let nobody in."""

    ARMED = "armed"
    ANSWERING = "answering"
    USED = "used"
    EXPIRED = "expired"
    REFUSED = "refused"


class Step(Enum):
    """What happens to an arming."""

    ANSWER = "the call is answered"
    GIVEN_UP = "the call ended before anybody had authenticated"
    WRONG = "wrong credentials"
    AUTHENTICATED = "the caller has authenticated"
    CRASHED = "found in the middle of a call that nobody is in any more"
    EXPIRE = "its time is over"
    LAST_WRONG = "wrong credentials once too often"


TRANSITIONS = {
    (ArmingState.ARMED, Step.ANSWER): ArmingState.ANSWERING,
    (ArmingState.ARMED, Step.EXPIRE): ArmingState.EXPIRED,
    (ArmingState.ANSWERING, Step.GIVEN_UP): ArmingState.ARMED,
    (ArmingState.ANSWERING, Step.WRONG): ArmingState.ARMED,
    (ArmingState.ANSWERING, Step.LAST_WRONG): ArmingState.REFUSED,
    (ArmingState.ANSWERING, Step.AUTHENTICATED): ArmingState.USED,
    (ArmingState.ANSWERING, Step.CRASHED): ArmingState.USED,
}


class ArmingError(RigError):
    """Nobody may be let in: the call is not armed, or no more."""

    outcome = "NOT ARMED"


class Record(msgspec.Struct, frozen=True):
    """An arming as it is kept. ``serial`` goes into its credentials; ``until``: seconds since 1970."""

    serial: str
    address: str
    until: float
    state: ArmingState = ArmingState.ARMED
    wrong: int = 0


class Arming:
    """One arming, the file that keeps it, and a lock on that: two cannot answer on the same one."""

    def __init__(self, file: Path, record: Record) -> None:
        self.file = file
        self.record = record

    @classmethod
    @contextlib.contextmanager
    def opened(cls, file: Path, address: str, seconds: float) -> Iterator[tuple[Arming, bool]]:
        """The arming that is still good, or a new one of so many seconds; and whether it is new.

        Raises ArmingError when another process has it.
        """
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArmingError(f"{file}: another process waits for this call already") from None
            found = cls._found(file)
            if found is not None and found.state is ArmingState.ARMED and found.address == address:
                yield cls(file, found), False
                return
            arming = cls(file, Record(secrets.token_hex(16), address, time.time() + seconds))
            arming._write()
            yield arming, True

    @classmethod
    def _found(cls, file: Path) -> Record | None:
        """What an earlier process has left, brought up to date."""
        try:
            record = from_json(file.read_bytes(), Record)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise ArmingError(f"{file}: this record cannot be read: {error}", f"rm {file}   disarms it") from None
        arming = cls(file, record)
        if record.state is ArmingState.ANSWERING:
            arming.step(Step.CRASHED)
        elif record.state is ArmingState.ARMED and time.time() >= record.until:
            arming.step(Step.EXPIRE)
        return arming.record

    @property
    def armed(self) -> bool:
        return self.record.state is ArmingState.ARMED

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.record.until - time.time())

    def step(self, step: Step) -> None:
        """Take a step; it is on the disk on return. Raises ArmingError for one that cannot be taken now."""
        wrong = self.record.wrong + (step is Step.WRONG)
        if wrong >= TRIES:
            step = Step.LAST_WRONG
        state = TRANSITIONS.get((self.record.state, step))
        if state is None:
            raise ArmingError(f"the arming is {self.record.state.value}: {step.value} cannot be")
        self.record = msgspec.structs.replace(self.record, state=state, wrong=wrong)
        self._write()

    def _write(self) -> None:
        """Beside the record, to the disk, in its place: at each moment there is a whole one, the old or the new."""
        beside = self.file.with_suffix(".new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self.record))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.file)
        folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
