"""A call as its outcome: what is dialled, and what the modem's answer to it means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rig.drivers.base.errors import (
    BusyError,
    CallError,
    ModemError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
)
from rig.drivers.modem.result_codes import Code, Result

_FAILURES: dict[Code, type[CallError]] = {
    Code.BUSY: BusyError,
    Code.NO_ANSWER: NoAnswerError,
    Code.NO_DIALTONE: NoDialtoneError,
    Code.NO_CARRIER: NoCarrierError,
    Code.VOICE: NoCarrierError,
    Code.FAX: NoCarrierError,
    Code.DELAYED: ModemError,
    Code.BLACKLISTED: ModemError,
    Code.ERROR: ModemError,
    Code.UNKNOWN: ModemError,
}
ADVICE = {
    Code.BUSY: "try again later, or name a second number with --number",
    Code.NO_ANSWER: "is the number right, and the far end's modem set to answer?",
    Code.NO_DIALTONE: "is the telephone cable in the modem's LINE socket, and the line working?",
    Code.NO_CARRIER: "is it a modem that answers there? A voice, a fax or a dead number also ends like this",
    Code.DELAYED: "the modem's own country rules hold it back from dialling again; wait, or power it off",
    Code.BLACKLISTED: "the modem refuses this number after too many failures; power it off to clear its list",
    Code.UNKNOWN: "that has the shape of a result code, and is none that is known: its manual says what it means",
    Code.ERROR: "is the dial string right for this modem? -v shows what it answered",
}


@dataclass(frozen=True)
class Connection:
    """A call that connected. ``rate`` in bit/s, as the modem reported it; 0 when it named none."""

    text: str
    rate: int


def settings(carrier_wait: int, init: str) -> tuple[str, ...]:
    """The command lines that a modem is told before its calls: how long it waits for carrier, in seconds (S7, V.250
    §6.3.10), and what a bench says."""
    return (f"ATS7={carrier_wait}", *((init,) if init else ()))


def connection_of(answer: Result, doing: str) -> Connection:
    """The connection that an answer tells of. Raises what else it means."""
    if answer.code is Code.CONNECT:
        return Connection(answer.text, answer.rate or 0)
    failure = _FAILURES.get(answer.code, ModemError)
    raise failure(f"{doing}: {answer.text}", ADVICE.get(answer.code, ""), result=answer.text)


_COMMAND = re.compile(r"[+^][^;]*;?|[^A-Za-z+^]*([A-Za-z])(?:[0-9=?]*)")


def places_call(command: str) -> bool:
    """Whether a command line has one that waits for a far end: D, A or O (V.250 §6.3.1, §6.3.5, §6.3.7), or repeats the
    last one (A/, §5.2.4), which may. What is none, as data in a call, has not (§5.2.1)."""
    line = command.strip().upper()
    if not line.startswith("AT"):
        return line == "A/"
    return any(found[0][0] in "DAO" for found in _COMMAND.finditer(line.removeprefix("AT")))
