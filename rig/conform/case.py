"""One case: a sentence of a standard, and what holds a device to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rig.conform.ppp.tester import Tester

Level = Literal["MUST", "SHOULD", "MAY"]


class NotAsSpecifiedError(Exception):
    """What a device did instead."""


class NotRunError(Exception):
    """Why a case says nothing of this device."""


@dataclass(frozen=True)
class Case:
    """``section`` of which RFC; ``what`` it says, in our words; ``run`` raises NotAsSpecifiedError, NotRunError."""

    group: int
    number: int
    section: str
    level: Level
    what: str
    run: Callable[[Tester], None]

    @property
    def name(self) -> str:
        return f"{self.group}.{self.number}"


class Group:
    """Cases of one subject. ``size``: how many the public list of a paid suite has of it."""

    def __init__(self, number: int, title: str, size: int) -> None:
        self.number = number
        self.title = title
        self.size = size
        self.cases: list[Case] = []

    def case(self, section: str, level: Level) -> Callable[[Callable[[Tester], None]], Callable[[Tester], None]]:
        """The next one of the group; its docstring is the sentence."""

        def add(run: Callable[[Tester], None]) -> Callable[[Tester], None]:
            what = " ".join((run.__doc__ or "").split())
            self.cases.append(Case(self.number, len(self.cases) + 1, section, level, what, run))
            return run

        return add
