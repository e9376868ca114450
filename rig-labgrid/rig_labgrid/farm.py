"""`rig-labgrid-farm`: calls on all benches of a farm that are free, side by side. `rig soak --place` runs it.

It says what happens as JSON objects, one a line: ``{"place": …}`` that it has; ``{"place": …, "call": {…}}`` each call,
as calls.jsonl has it; ``{"place": …, "lost": why}`` for a bench that went away, whose running call is lost with it;
``{"error": …}``. It ends when its standard input does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig_farm.errors import FarmError

from rig_labgrid.places import Farm, Tags, farm
from rig_labgrid.remote import Bench

SHARES = 4
"""In so many portions each bench has its share of the calls: a fast one takes over what a slow one has not begun."""


@dataclass
class Calls:
    """How many are to be made still, by so many benches; each has a thread that takes from it."""

    left: int
    benches: int
    _out: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self) -> int:
        """The next portion, to be ended by :meth:`end`; 0 when none is left. While others are at theirs it waits: a
        bench that is lost leaves some."""
        with self._changed:
            self._changed.wait_for(lambda: self.left or not self._out)
            portion = min(self.left, max(1, self.left // (self.benches * SHARES)))
            self.left -= portion
            self._out += bool(portion)
            return portion

    def end(self, left: int) -> None:
        """A portion is over, ``left`` of it not made."""
        with self._changed:
            self._out -= 1
            self.left += left
            self._changed.notify_all()


def main(argv: Sequence[str] | None = None) -> int:
    """0, whatever became of the calls: what kept some from being made is said."""
    parser = argparse.ArgumentParser(prog="rig-labgrid-farm", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tags", metavar="TAG=PATTERN[,…]")
    parser.add_argument("--calls", type=int, required=True, metavar="N")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="options of rig soak's, for each bench")
    asked = parser.parse_args(argv)
    said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_await_end_of_client, args=(stopped,), daemon=True, name="client").start()
    try:
        with farm() as found, contextlib.ExitStack() as stack:
            benches = _had(found, Tags.read(asked.tags), stack)
            calls = Calls(asked.calls, len(benches))
            threads = [
                threading.Thread(target=_use, args=(place, bench, calls, asked.words, said, stopped), name=place)
                for place, bench in benches.items()
            ]
            for thread in threads:
                _say({"place": thread.name})
                thread.start()
            for _ in threads:
                while (line := said.get()) is not None:
                    _say(line)
            if calls.left and not stopped.is_set():
                _say({"error": f"no bench is left for {calls.left} calls"})
    except FarmError as error:
        _say({"error": str(error)})
    return 0


def _await_end_of_client(stopped: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # not by Python's buffer, whose lock a thread holds to the very end
        pass
    stopped.set()


def _had(found: Farm, tags: Tags, stack: contextlib.ExitStack) -> dict[str, Bench]:
    """Each free place that can be had. Raises FarmError where there is none."""
    benches, refused = {}, []
    for place in found.free(tags):
        try:
            benches[place] = stack.enter_context(found.had(place))
        except FarmError as error:
            refused.append(str(error))
    if not benches:
        raise FarmError("; ".join(refused) or "no place with these tags is free: labgrid-client places")
    return benches


def _use(
    place: str,
    bench: Bench,
    calls: Calls,
    words: Sequence[str],
    said: queue.SimpleQueue[dict[str, Any] | None],
    stopped: threading.Event,
) -> None:
    """In a thread: this bench's calls, portion by portion, until none is left or the bench is."""
    try:
        while not stopped.is_set() and (portion := calls.take()):
            left = portion

            def one(call: dict[str, Any]) -> None:
                nonlocal left
                left -= 1
                said.put({"place": place, "call": call})

            lost = ""
            try:
                with tempfile.TemporaryDirectory(prefix="rig-farm-") as folder:
                    there = ["--calls", str(portion), *words]
                    lost = bench.run("soak", there, folder=Path(folder), call=one, stopped=stopped).message
            except FarmError as error:
                lost = str(error)
            finally:
                calls.end(max(0, left - 1))
            if left and not stopped.is_set():
                said.put({"place": place, "lost": lost})
                return
    finally:
        said.put(None)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
