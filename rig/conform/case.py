"""One case: a sentence of a standard, and what holds a device to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

Level = Literal["MUST", "SHOULD", "MAY"]


class NotAsSpecifiedError(Exception):
    """What a device did instead."""


class NotRunError(Exception):
    """Why a case says nothing of this device."""


class Recorded(Protocol):
    """Who tests, and remembers all that went over the line."""

    def record(self) -> list[str]:
        """It, in words, a line each, with seconds since the first."""


T = TypeVar("T", bound=Recorded)


@dataclass(frozen=True)
class Case(Generic[T]):
    """``section`` of which standard; ``what`` it says, in our words; ``run`` raises NotAsSpecifiedError and
    NotRunError."""

    group: int
    number: int
    section: str
    level: Level
    what: str
    run: Callable[[T], None]

    @property
    def name(self) -> str:
        return f"{self.group}.{self.number}"


class Group(Generic[T]):
    """Cases of one subject. ``size``: how many the public list of a paid suite has of it; 0 where there is none."""

    def __init__(self, number: int, title: str, size: int = 0) -> None:
        self.number = number
        self.title = title
        self.size = size
        self.cases: list[Case[T]] = []

    def case(self, section: str, level: Level) -> Callable[[Callable[[T], None]], Callable[[T], None]]:
        """The next one of the group; its docstring is the sentence."""

        def add(run: Callable[[T], None]) -> Callable[[T], None]:
            what = " ".join((run.__doc__ or "").split())
            self.cases.append(Case(self.number, len(self.cases) + 1, section, level, what, run))
            return run

        return add


def chosen(groups: Sequence[Group[T]], names: Sequence[str]) -> list[tuple[Group[T], Case[T]]]:
    """Cases by group ("9") or number ("9.4"), all where none is named. Raises ValueError for one that there is not."""
    found = [
        (group, case)
        for group in groups
        for case in group.cases
        if not names or str(group.number) in names or case.name in names
    ]
    known = {str(group.number) for group, _ in found} | {case.name for _, case in found}
    if missing := [name for name in names if name not in known]:
        numbers = ", ".join(str(group.number) for group in groups)
        raise ValueError(f"there is no case {missing[0]}: groups are {numbers}, and a case is such as 9.4")
    return found
