"""Whom a call-home request is given to (§5.4.2): a console that is configured as call-home server; with several, one of
them for each request; where it fails, those that remain. Answers and time are passed in.

A request has the id of its transaction, which the service centre knows it by. So one that is given to a second server,
because the first has fallen silent, is the same request: what the first had sent is there, and nothing is there twice.

    asked      given to a server, which has not said yet that it takes it
    carried    it has, and says from time to time that it goes on
    done, failed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

ANSWER_SECONDS = 2.0
"""For a server to say whether it takes a request."""
SILENCE_SECONDS = 10.0
"""For one that carries a request out, between two signs of life."""
AGAIN_SECONDS = 5.0
"""After every server was busy, before they are asked again."""
PATIENCE_SECONDS = 120.0
"""For a request that nobody takes."""


class State(Enum):
    """Of one request; WAITING: nobody has it, and somebody is asked again."""

    WAITING = "waiting"
    ASKED = "asked"
    CARRIED = "carried"
    DONE = "done"
    FAILED = "failed"


OVER = (State.DONE, State.FAILED)


@dataclass
class Request:
    """``server``: who has it; ``tried``: who has failed at it, and why; ``busy``: who had no room when last asked;
    ``until``: when what is waited for must have come; ``since``: when it was handed in."""

    id: str
    since: float
    state: State = State.WAITING
    server: str = ""
    until: float = 0.0
    tried: dict[str, str] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    why: str = ""


@dataclass(frozen=True)
class Ask:
    """Give a request to a server."""

    server: str
    request: str


@dataclass(frozen=True)
class Over:
    """A request is done, by a server, or has failed, ``why``."""

    request: str
    server: str
    why: str = ""


class Broker:
    """Of one console, for its own requests. ``out`` and ``events`` are the caller's to take."""

    def __init__(self) -> None:
        self.requests: dict[str, Request] = {}
        self.out: list[Ask] = []
        self.events: list[Over] = []
        self._servers: list[str] = []
        self._given: Counter[str] = Counter()

    # --- what happens --------------------------------------------------------------------------------------------

    def hand_in(self, number: str, now: float) -> None:
        """A new request."""
        self.requests[number] = Request(number, now)
        self._give(self.requests[number], now)

    def servers(self, there: Collection[str], now: float) -> None:
        """Who is there that calls home for others; who is not any more has failed at what it had."""
        gone = set(self._servers) - set(there)
        self._servers = sorted(there)
        for request in list(self.requests.values()):
            if request.server in gone and request.state in (State.ASKED, State.CARRIED):
                self._failed_at(request, "it is gone", now)
            elif request.state is State.WAITING:
                self._give(request, now)

    def takes(self, server: str, number: str, now: float) -> None:
        """A server says that it takes a request, or that it goes on with it."""
        if (request := self._with(server, number)) is not None:
            request.state, request.until = State.CARRIED, now + SILENCE_SECONDS

    def refuses(self, server: str, number: str, now: float) -> None:
        """It has no room: it is asked again later, unless another takes it."""
        if (request := self._with(server, number)) is not None:
            request.busy.add(server)
            self._drop(request)
            self._give(request, now)

    def fails(self, server: str, number: str, why: str, now: float) -> None:
        """It could not carry it out."""
        if (request := self._with(server, number)) is not None:
            self._failed_at(request, why, now)

    def did(self, server: str, number: str) -> None:
        """It has a receipt for it: also one that was taken for dead, and was not."""
        request = self.requests.get(number)
        if request is not None and request.state not in OVER:
            self._drop(request)
            request.state, request.server = State.DONE, server
            self.events.append(Over(number, server))

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called."""
        return min((one.until for one in self.requests.values() if one.state not in OVER), default=None)

    def tick(self, now: float) -> None:
        """Whoever has not answered in time has failed; who was busy is asked again."""
        for request in list(self.requests.values()):
            if request.state in OVER or request.until > now:
                continue
            if request.state is State.WAITING:
                request.busy.clear()
                self._give(request, now)
            else:
                said = "it does not answer" if request.state is State.ASKED else "it is silent"
                self._failed_at(request, said, now)

    # --- what follows --------------------------------------------------------------------------------------------

    def _with(self, server: str, number: str) -> Request | None:
        """A request that this server has; None where it is another's by now, or over."""
        request = self.requests.get(number)
        return request if request is not None and request.server == server and request.state not in OVER else None

    def _failed_at(self, request: Request, why: str, now: float) -> None:
        request.tried[request.server] = why
        self._drop(request)
        self._give(request, now)

    def _drop(self, request: Request) -> None:
        """Nobody has it."""
        if request.server:
            self._given[request.server] -= 1
        request.server, request.state = "", State.WAITING

    def _give(self, request: Request, now: float) -> None:
        """To whom has least to do, of those that have not failed at it; or it has failed."""
        left = [server for server in self._servers if server not in request.tried]
        if not left and request.tried:
            self._fail(request, "; ".join(f"{server}: {why}" for server, why in request.tried.items()))
            return
        if now - request.since >= PATIENCE_SECONDS:
            self._fail(request, "every call-home server is busy" if left else "there is no call-home server")
            return
        free = [server for server in left if server not in request.busy]
        if not free:
            request.until = min(now + AGAIN_SECONDS, request.since + PATIENCE_SECONDS)
            return
        chosen = min(free, key=lambda server: (self._given[server], server))
        request.server, request.state, request.until = chosen, State.ASKED, now + ANSWER_SECONDS
        self._given[chosen] += 1
        self.out.append(Ask(chosen, request.id))

    def _fail(self, request: Request, why: str) -> None:
        request.state, request.why = State.FAILED, why
        self.events.append(Over(request.id, "", why))


class Desk:
    """Of a call-home server: what it has taken, and from whom. ``room``: how many calls it can make at once."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.carrying: dict[str, str] = {}
        self.done: dict[str, str] = {}

    def asked(self, console: str, number: str) -> str:
        """ "take" it; it is "going on" already; it is "done"; or there is no room: "busy"."""
        if number in self.done:
            return "done"
        if number in self.carrying:
            self.carrying[number] = console
            return "going on"
        if len(self.carrying) >= self.room:
            return "busy"
        self.carrying[number] = console
        return "take"

    def over(self, number: str, receipt: str) -> str:
        """One is over, with a receipt, or without; whom to tell."""
        console = self.carrying.pop(number)
        if receipt:
            self.done[number] = receipt
        return console
