"""Who said what to whom: AT, PPP and L2TP messages of a trace, in their order, as the rungs of a ladder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.header import MalformedError, unpack
from rig.drivers.l2tp.messages import NAMES, Kind, Message, decode_message
from rig.drivers.l2tp.results import CallResult, StopResult
from rig.drivers.ppp.ppp_packet import packet_in
from rig.run.capture import NEAR, PARTITION
from rig.run.trace import Datagram, Note
from rig.run.transcript import Moment

MODEM = "modem"
REPLIES = ("Ack", "Nak", "Rej", "Success", "Failure", "Response", "Rep")
FINAL = re.compile(r"OK|ERROR|CONNECT.*|BUSY|NO .*|VOICE|FAX|DELAYED|BLACKLISTED|\d")
PROGRESS = ("RING", "RINGING")


@dataclass(frozen=True)
class Rung:
    """One message. ``at`` in seconds from the trace's beginning; ``after``: seconds since what it answers."""

    at: float
    sender: str
    receiver: str
    protocol: str
    text: str
    options: tuple[str, ...] = ()
    after: float | None = None


def at_rungs(spoken: Iterable[Moment]) -> Iterator[Rung]:
    """Command lines; and the answer to each as one rung, its text before its result code. Echo is left out."""
    command, asked = "", 0.0
    text_lines: list[str] = []
    for moment, line in _lines(spoken):
        if moment.way == "to":
            command, asked, text_lines = line, moment.at, []
            yield Rung(moment.at, NEAR, MODEM, "AT", line)
        elif FINAL.fullmatch(line):
            yield Rung(moment.at, MODEM, NEAR, "AT", line, tuple(text_lines), moment.at - asked)
            text_lines = []
        elif line in PROGRESS:
            yield Rung(moment.at, MODEM, NEAR, "AT", line)
        elif line != command:
            text_lines.append(line)


def _lines(spoken: Iterable[Moment]) -> Iterator[tuple[Moment, str]]:
    """Both ways' lines, each at the moment of its end."""
    halves = {"to": b"", "from": b""}
    for moment in spoken:
        *lines, halves[moment.way] = re.split(rb"[\r\n]+", halves[moment.way] + moment.data)
        yield from ((moment, text) for line in lines if (text := line.decode("latin-1").strip()))


def ppp_rungs(lines: Iterable[Note], peer: str) -> Iterator[Rung]:
    """pppd's control packets, with the options as it decodes them."""
    asked: dict[tuple[str, int | None, bool], float] = {}
    for line in lines:
        if (packet := packet_in(line.text)) is None:
            continue
        reply = packet.code.endswith(REPLIES)
        key = packet.protocol, packet.number, packet.sent is not reply
        after = line.at - asked[key] if reply and key in asked else None
        if not reply:
            asked[key] = line.at
        ends = (NEAR, peer) if packet.sent else (peer, NEAR)
        yield Rung(line.at, *ends, packet.protocol, packet.code, packet.parts, after)


def l2tp_rungs(datagrams: Iterable[Datagram]) -> Iterator[Rung]:
    """Control messages, without those that only acknowledge; one sent again is said to be so."""
    seen: set[tuple[bool, int, int]] = set()
    asked = 0.0
    for datagram in datagrams:
        try:
            header, body = unpack(datagram.data)
            message = decode_message(body) if body else None
        except MalformedError as error:
            yield Rung(datagram.at, *_ends(datagram), "L2TP", f"not understood: {error}")
            continue
        if message is None:
            continue
        again = (datagram.sent, header.tunnel, header.ns) in seen
        seen.add((datagram.sent, header.tunnel, header.ns))
        after = None if datagram.sent else datagram.at - asked
        if datagram.sent:
            asked = datagram.at
        text = NAMES[message.kind] + (", sent again" if again else "")
        yield Rung(datagram.at, *_ends(datagram), "L2TP", text, tuple(l2tp_options(message)), after)


def _ends(datagram: Datagram) -> tuple[str, str]:
    return (NEAR, PARTITION) if datagram.sent else (PARTITION, NEAR)


def l2tp_options(message: Message) -> Iterator[str]:
    """The attributes that a person would ask for."""
    for attribute, value in message.values.items():
        name = attribute.name.lower().replace("_", " ")
        if attribute is Attribute.RESULT_CODE and isinstance(value, bytes):
            yield result_words(message.kind, value)
        elif isinstance(value, int):
            yield f"{name} {value}"
        elif attribute in (Attribute.HOST_NAME, Attribute.CALLED_NUMBER, Attribute.CALLING_NUMBER):
            yield f"{name} {value.decode('latin-1')}"
        elif attribute is Attribute.ACCM:
            yield f"escape {value[2:6].hex()} to send, {value[6:10].hex()} to receive"
        elif attribute in (Attribute.CHALLENGE, Attribute.CHALLENGE_RESPONSE):
            yield name


def result_words(kind: Kind, value: bytes) -> str:
    """A result code (RFC 2661 §4.4.2) in words, and the sender's own message."""
    number = int.from_bytes(value[:2], "big")
    known = CallResult if kind is Kind.CDN else StopResult
    name = known(number).name.lower().replace("_", " ") if number in list(known) else "unknown"
    said = value[4:].decode("utf-8", "replace")
    return f"result {number}, {name}" + (f": {said}" if said else "")
