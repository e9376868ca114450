"""The option-negotiation automaton (RFC 1661 §4), as its table of §4.1. What is sent, and when time is up, is the
owner's: actions are called, timers are told."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Protocol


class State(IntEnum):
    """§4.2, by the table's numbers."""

    INITIAL = 0
    STARTING = 1
    CLOSED = 2
    STOPPED = 3
    CLOSING = 4
    STOPPING = 5
    REQ_SENT = 6
    ACK_RCVD = 7
    ACK_SENT = 8
    OPENED = 9


class Event(Enum):
    """§4.3."""

    UP = "Up"
    DOWN = "Down"
    OPEN = "Open"
    CLOSE = "Close"
    TO_PLUS = "TO+"
    TO_MINUS = "TO-"
    RCR_PLUS = "RCR+"
    RCR_MINUS = "RCR-"
    RCA = "RCA"
    RCN = "RCN"
    RTR = "RTR"
    RTA = "RTA"
    RUC = "RUC"
    RXJ_PLUS = "RXJ+"
    RXJ_MINUS = "RXJ-"
    RXR = "RXR"


class Actions(Protocol):
    """§4.4; each is called as the table has it."""

    def this_layer_up(self) -> None: ...

    def this_layer_down(self) -> None: ...

    def this_layer_started(self) -> None: ...

    def this_layer_finished(self) -> None: ...

    def initialize_restart_count(self) -> None: ...

    def zero_restart_count(self) -> None: ...

    def send_configure_request(self) -> None: ...

    def send_configure_ack(self) -> None: ...

    def send_configure_nak(self) -> None: ...

    def send_terminate_request(self) -> None: ...

    def send_terminate_ack(self) -> None: ...

    def send_code_reject(self) -> None: ...

    def send_echo_reply(self) -> None: ...


Action = Callable[[Actions], None]
Step = tuple[tuple[Action, ...], State]


def _tlu(owner: Actions) -> None:
    owner.this_layer_up()


def _tld(owner: Actions) -> None:
    owner.this_layer_down()


def _tls(owner: Actions) -> None:
    owner.this_layer_started()


def _tlf(owner: Actions) -> None:
    owner.this_layer_finished()


def _irc(owner: Actions) -> None:
    owner.initialize_restart_count()


def _zrc(owner: Actions) -> None:
    owner.zero_restart_count()


def _scr(owner: Actions) -> None:
    owner.send_configure_request()


def _sca(owner: Actions) -> None:
    owner.send_configure_ack()


def _scn(owner: Actions) -> None:
    owner.send_configure_nak()


def _str(owner: Actions) -> None:
    owner.send_terminate_request()


def _sta(owner: Actions) -> None:
    owner.send_terminate_ack()


def _scj(owner: Actions) -> None:
    owner.send_code_reject()


def _ser(owner: Actions) -> None:
    owner.send_echo_reply()


def _row(first: State, *steps: tuple[Action | int, ...] | int | None) -> dict[State, Step]:
    """A line of the table from a state on: for each, its actions and the next state; None where there is none."""
    found: dict[State, Step] = {}
    for at, step in enumerate(steps, first):
        if step is not None:
            *actions, following = step if isinstance(step, tuple) else (step,)
            assert isinstance(following, int)
            found[State(at)] = tuple(one for one in actions if not isinstance(one, int)), State(following)
    return found


_0, _2 = State.INITIAL, State.CLOSED
TABLE: dict[Event, dict[State, Step]] = {
    Event.UP: _row(_0, 2, (_irc, _scr, 6)),
    Event.DOWN: _row(_2, 0, (_tls, 1), 0, 1, 1, 1, 1, (_tld, 1)),
    Event.OPEN: _row(_0, (_tls, 1), 1, (_irc, _scr, 6), 3, 5, 5, 6, 7, 8, 9),
    Event.CLOSE: _row(
        _0, 0, (_tlf, 0), 2, 2, 4, 4, (_irc, _str, 4), (_irc, _str, 4), (_irc, _str, 4), (_tld, _irc, _str, 4)
    ),
    Event.TO_PLUS: _row(State.CLOSING, (_str, 4), (_str, 5), (_scr, 6), (_scr, 6), (_scr, 8)),
    Event.TO_MINUS: _row(State.CLOSING, (_tlf, 2), (_tlf, 3), (_tlf, 3), (_tlf, 3), (_tlf, 3)),
    Event.RCR_PLUS: _row(
        _2, (_sta, 2), (_irc, _scr, _sca, 8), 4, 5, (_sca, 8), (_sca, _tlu, 9), (_sca, 8), (_tld, _scr, _sca, 8)
    ),
    Event.RCR_MINUS: _row(
        _2, (_sta, 2), (_irc, _scr, _scn, 6), 4, 5, (_scn, 6), (_scn, 7), (_scn, 6), (_tld, _scr, _scn, 6)
    ),
    Event.RCA: _row(_2, (_sta, 2), (_sta, 3), 4, 5, (_irc, 7), (_scr, 6), (_irc, _tlu, 9), (_tld, _scr, 6)),
    Event.RCN: _row(_2, (_sta, 2), (_sta, 3), 4, 5, (_irc, _scr, 6), (_scr, 6), (_irc, _scr, 8), (_tld, _scr, 6)),
    Event.RTR: _row(
        _2, (_sta, 2), (_sta, 3), (_sta, 4), (_sta, 5), (_sta, 6), (_sta, 6), (_sta, 6), (_tld, _zrc, _sta, 5)
    ),
    Event.RTA: _row(_2, 2, 3, (_tlf, 2), (_tlf, 3), 6, 6, 8, (_tld, _scr, 6)),
    Event.RUC: _row(_2, *((_scj, state) for state in range(2, 10))),
    Event.RXJ_PLUS: _row(_2, 2, 3, 4, 5, 6, 6, 8, 9),
    Event.RXJ_MINUS: _row(
        _2, (_tlf, 2), (_tlf, 3), (_tlf, 2), (_tlf, 3), (_tlf, 3), (_tlf, 3), (_tlf, 3), (_tld, _irc, _str, 5)
    ),
    Event.RXR: _row(_2, 2, 3, 4, 5, 6, 7, 8, (_ser, 9)),
}  # fmt: skip


class Automaton:
    """``state``, and what events do to it; those that the table has no entry for are nothing."""

    def __init__(self, owner: Actions) -> None:
        self.state = State.INITIAL
        self._owner = owner

    def event(self, what: Event) -> None:
        """The state is the next one before the actions are taken: what they come to may be an event again."""
        step = TABLE[what].get(self.state)
        if step is not None:
            actions, self.state = step
            for action in actions:
                action(self._owner)

    @property
    def waits(self) -> bool:
        """Whether the restart timer runs in this state (§4.2)."""
        return State.CLOSING <= self.state <= State.ACK_SENT
