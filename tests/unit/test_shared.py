"""What several need at once is made once, and gone when nobody needs it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from rig.drivers.base.shared import Shared


class Thing:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.broken = False

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        if self.broken:
            raise OSError("no room")
        self.log.append("made")
        yield
        self.log.append("gone")


def test_it_is_there_from_the_first_to_the_last_and_again() -> None:
    thing = Thing()
    shared = Shared(thing.made)
    first, second = shared.held(), shared.held()
    with second:
        with first:
            assert thing.log == ["made"]
        assert thing.log == ["made"]
    assert thing.log == ["made", "gone"]
    with shared.held():
        assert thing.log == ["made", "gone", "made"]


def test_what_cannot_be_made_is_held_by_nobody() -> None:
    thing = Thing()
    shared = Shared(thing.made)
    thing.broken = True
    with pytest.raises(OSError, match="no room"), shared.held():
        pass
    thing.broken = False
    with shared.held():
        pass
    assert thing.log == ["made", "gone"]


def test_whoever_comes_while_it_is_being_made_waits_until_it_is_there() -> None:
    making, go_on, there = threading.Event(), threading.Event(), threading.Event()

    @contextlib.contextmanager
    def slow() -> Iterator[None]:
        making.set()
        assert go_on.wait(10)
        there.set()
        yield

    shared, seen = Shared(slow), list[bool]()

    def have() -> None:
        with shared.held():
            seen.append(there.is_set())

    threads = [threading.Thread(target=have) for _ in range(4)]
    threads[0].start()
    assert making.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert seen == [True] * 4
