"""One piece of work for a service centre, over as many calls as it takes: what a call that is lost leaves undone goes
on in the next."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from rig.config.bench import Bench
from rig.config.bench_files import load_tls_policy
from rig.drivers.base.errors import AuthenticationError, CallError, NetworkError, PppError, UsageError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.line_rate import BITS_A_BYTE
from rig.jobs.conversation import Conversation, Pace, conversation
from rig.paths.path import Path, over
from rig.paths.up import Up
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict
from rig.verdict.verdict import ConnectReport, WayReport

FASTEST_LINE = 1_000_000
"""Bit/s; beyond that it is no telephone line that is spoken of."""
AGAIN: tuple[type[Exception], ...] = (CallError, PppError, NetworkError)
"""What another call may mend."""
AFTER_FAILURE = 1.0
"""Seconds: what is busy, or not there, would be asked three times at once."""
_T = TypeVar("_T")


class CallHome:
    """``path``: the way, opened here; ``ca``: whom the servers' certificates are signed by. Raises UsageError where
    nobody could tell that."""

    def __init__(self, bench: Bench, path: Path, ca: str, verdict: CallHomeVerdict, progress: Progress) -> None:
        if not ca:
            raise UsageError(f"bench {bench.name}: key 'expect.ca', whom the servers' certificates are of, is missing")
        self._bench = bench
        self._path = path
        self._ca = ca
        self._verdict = verdict
        self._progress = progress

    def done(self, attempts: int, talk: Callable[[Conversation, Pace], _T]) -> _T:
        """What ``talk`` comes to with one of the region's servers, in as many calls as ``attempts``. Raises what ended
        the last, and NotReceivedError at once."""
        for attempt in range(1, attempts + 1):
            try:
                return self._in_one_call(talk)
            except AuthenticationError:
                raise  # a second try is as wrong, and a third may have the account locked
            except AGAIN as error:
                self._progress.fail(error)
                self._path.close()
                if attempt == attempts:
                    raise
                self._progress.note(f"{error}; once more, from where it stopped")
                with waiting():
                    threading.Event().wait(AFTER_FAILURE)
        raise AssertionError

    def _in_one_call(self, talk: Callable[[Conversation, Pace], _T]) -> _T:
        path, verdict = self._path, self._verdict
        verdict.connect = ConnectReport()
        opened = time.monotonic()
        up = path.open(verdict)
        took = time.monotonic() - opened
        verdict.sessions += 1
        verdict.way = WayReport(up.kind, up.interface, up.source, up.gateway, up.mtu, took, up.facts)
        self._progress.note(f"{up.interface} is up: {up.source}, gateway {up.gateway}")
        verdict.limit = self._limit()
        with over(path):
            return self._over(up, talk)

    def _limit(self) -> float:
        """Bytes a second that the line can carry; 0 where nobody said, or it is one without pacing."""
        rate = self._verdict.connect.rate
        return rate / BITS_A_BYTE if not self._bench.instant and rate < FASTEST_LINE else 0.0

    def _over(self, up: Up, talk: Callable[[Conversation, Pace], _T]) -> _T:
        """The first of the region's servers that takes it; a connection that breaks is made again as long as each has
        brought something over. Raises NetworkError where none does all of it."""
        policy, pace, path = load_tls_policy(self._bench), Pace(self._verdict.limit), self._path
        tried = []
        for server in up.allowed.servers:
            before = -1
            while before < (before := self._verdict.carried):
                try:
                    with conversation(up, path, server, policy, self._ca, pace) as made:
                        self._verdict.server = str(server)
                        self._progress.note(f"{server}: {made.agreed}")
                        return talk(made, pace)
                except (OSError, http.client.HTTPException) as error:
                    if not path.alive():
                        raise
                    tried.append(f"{server}: {_words(error)}")
                    self._progress.fail(error)
                    self._progress.note(tried[-1])
        raise NetworkError(f"no service centre did all of it: {'; '.join(tried)}")


def _words(error: Exception) -> str:
    return "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__


def rate_of(octets: int, seconds: float, pace: Pace) -> str:
    """How fast it goes, against what the line can carry."""
    if seconds <= 0:
        return ""
    return f"{octets / seconds:,.0f} B/s" + (f" of {pace.octets:,.0f}" if pace.octets else "")
