"""How a modem is found on a port and asked who it is. Sans-I/O: what to do next is yielded, what came is sent in.

A port that speaks AT answers AT, if only with ERROR. One that was left with Q1 answers nothing until it is told
otherwise; one that was left with a call needs +++; one at another speed needs that speed.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field

from rig.drivers.modem.at import Echo, Event, Reader, Text
from rig.drivers.modem.identity import Identity, is_unsolicited, told
from rig.drivers.modem.result_codes import Code, Result

ANSWER_SECONDS = 0.12
"""How long an AT may take to answer before the next way is tried. A modem of 1990 takes 20 ms."""
WAKE_SECONDS = 0.3
"""How long the command that brings its answers back may take, at each of several speeds."""
ONLY_WAKE_SECONDS = 0.7
"""The same where there is one speed, and so no other way to try."""
IDENTITY_SECONDS = 1.0
SETTLE_SECONDS = 1.0
GUARD_SECONDS = 1.05
"""S12's default of 50 fiftieths of a second, and a little more."""
ANSWER_CHARACTERS = 16
"""Of a short answer, CR LF OK CR LF, with an echo before it: what a slow line takes is no slowness of the modem's."""
LONGEST_ANSWER_CHARACTERS = 1024
"""What a slow line may take for an answer in whole, as long as it goes on coming."""
QUICK_SPEEDS = (115200, 9600, 38400, 57600, 19200)
ALL_SPEEDS = (*QUICK_SPEEDS, 2400, 1200, 300, 4800, 230400)
NOISE_BYTES = 256
"""More than this, and no result code in it: the port speaks something else."""


@dataclass(frozen=True)
class Ask:
    """Send a command line, and wait for its result code for so many seconds of silence; what the line takes for the
    command and its answer at its speed comes on top."""

    command: str
    seconds: float


@dataclass(frozen=True)
class SetSpeed:
    """Set the port to so many bit/s."""

    speed: int


@dataclass(frozen=True)
class Escape:
    """+++ and silence behind it: from data to command state. ``silence``: seconds of it before."""

    silence: float = GUARD_SECONDS


@dataclass(frozen=True)
class Settle:
    """Let the modem say all that it still has to say, for so many seconds."""

    seconds: float


Step = Ask | SetSpeed | Escape | Settle


@dataclass(frozen=True)
class Heard:
    """What came after a step, until its result code or its time. ``size`` in bytes, NULs among them; ``parity``: the
    one that its bytes have, see :func:`parity_of`; ``late``: something came after the step before had been given up,
    and before this one's question was sent."""

    events: tuple[Event, ...] = ()
    size: int = 0
    nuls: int = 0
    parity: str = ""
    late: bool = False

    @property
    def result(self) -> Result | None:
        return next((event for event in self.events if isinstance(event, Result) and event.final), None)

    @property
    def echoed(self) -> bool:
        return any(isinstance(event, Echo) for event in self.events)

    def lines(self, command: str) -> list[str]:
        """The information text, without what came in between."""
        texts = [event.line for event in self.events if isinstance(event, Text)]
        return [line for line in texts if not is_unsolicited(line, command)]


@dataclass
class Findings:
    """What was found on a port. ``speed`` 0: nothing that speaks AT; ``why`` then says what is there.

    ``echo``, ``numeric``, ``quiet``, ``online``: how the modem had been left.
    """

    speed: int = 0
    echo: bool = False
    numeric: bool = False
    quiet: bool = False
    online: bool = False
    why: str = ""
    identity: Identity = field(default_factory=Identity)


Dialogue = Generator[Step, Heard, Findings]


def parity_of(data: bytes) -> str:
    """The parity of an answer to AT that came with the eighth bit set, for a person; "" for anything else.

    A modem answers with the parity of the AT before (V.250 §5.1): one that was left so, or whose port has a fixed
    one, sends 7 bits and a parity bit where we read 8.
    """
    if not any(byte & 0x80 for byte in data):
        return ""
    reader = Reader()
    events = [*reader.feed(bytes(byte & 0x7F for byte in data)), *reader.idle()]
    if not any(isinstance(event, Result) for event in events):
        return ""
    odd = [byte.bit_count() % 2 == 1 for byte in data]
    if not any(odd):
        return "even parity (7E1)"
    if all(odd):
        return "odd parity (7O1)"
    return "mark parity (7M1)" if all(byte & 0x80 for byte in data) else ""


def find_and_ask(first_speed: int, *, fixed_speed: bool, online: bool, patient: bool) -> Dialogue:
    """Find the modem on a port, bring it to verbose codes without echo, and ask who it is.

    ``fixed_speed``: the line has no speed of its own (USB, a pty). ``online``: it has carrier, so only +++ is
    heard there. ``patient``: try what costs seconds too.
    """
    found = Findings()
    if online:  # we have just opened the port: as far as the modem knows, it was silent for long
        heard = yield Escape(silence=0)
        found.online = heard.result is not None
    speeds = ALL_SPEEDS if patient else QUICK_SPEEDS
    others = [speed for speed in speeds if speed != first_speed]
    if fixed_speed or (online and not patient):  # a null modem shows carrier too, and has cost a second already
        others = []
    yield from _find_speed(found, [first_speed, *others], ONLY_WAKE_SECONDS if not others else WAKE_SECONDS)
    if found.why:
        return found
    if not found.speed and patient and not online:
        yield SetSpeed(first_speed)
        heard = yield Escape()
        found.online = heard.result is not None
        yield from _find_speed(found, [first_speed, *others], IDENTITY_SECONDS)
    if not found.speed:
        found.why = found.why or "nothing answers AT"
        return found
    if found.online:
        yield Ask("ATH0", IDENTITY_SECONDS)
    questions = yield from into_step()
    found.quiet = found.quiet and questions == 1  # an answer that came late had only seemed to be missing
    if not questions:
        found.why = "its answers come one question late, so what it says is not to be trusted"
        return found
    found.identity = yield from ask_identity(found)
    return found


def _find_speed(found: Findings, speeds: list[int], wake_seconds: float) -> Generator[Step, Heard, None]:
    """Go through the speeds until AT is answered at one, or something is there that is no modem."""
    for speed in speeds:
        yield SetSpeed(speed)
        if (yield from _try_attention(found, wake_seconds)):
            found.speed = speed
        if found.speed or found.why:
            return


_KNOWN_REGISTERS = (("ATS3?", 13), ("ATS4?", 10), ("ATS5?", 8), ("ATS3?", 13))
"""CR, LF and BS, whose values are known (V.250 §6.2.1 to §6.2.3). Each question is another than the one before it,
whose answer may be still to come."""


def into_step() -> Generator[Step, Heard, int]:
    """How many questions it takes until an answer belongs to its own, late ones having been waited for; 0: never.

    The far side of a network or a busy machine takes longer over an answer than we wait for it; a modem that was just
    reset is deaf for some hundred milliseconds, or says OK twice; the NO CARRIER of a call comes behind the OK of what
    ended it. A modem that shows no register, twice, with nothing behind its answer, has none to show: nothing is
    known against it.
    """
    shows_nothing = 0
    came_late = False
    for questions, (command, value) in enumerate(_KNOWN_REGISTERS, 1):
        heard = yield Ask(command, IDENTITY_SECONDS)
        came_late = came_late or heard.late  # between two questions, and was thrown away with whatever was left there
        lines = heard.lines(command)
        if any(value in _numbers(line) for line in lines):
            return questions + came_late
        late = yield Settle(SETTLE_SECONDS)
        shows_nothing += heard.result is not None and not lines and not late.events
        if shows_nothing == 2:
            return questions
    return 0


def _numbers(line: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", line)]


def _try_attention(found: Findings, wake_seconds: float) -> Generator[Step, Heard, bool]:
    """Whether AT is answered at this speed; a modem is told to answer in words, without echo."""
    heard = yield Ask("AT", ANSWER_SECONDS)
    if _is_no_modem(found, heard):
        return False
    answered = heard.result is not None
    if answered:
        found.echo, found.numeric = heard.echoed, bool(heard.result and heard.result.text.isdecimal())
    wake = yield Ask("ATE0Q0V1", IDENTITY_SECONDS if answered else wake_seconds)
    if wake.result is None and _is_no_modem(found, wake):
        return False
    found.quiet = not answered and wake.result is not None and not wake.late
    if found.quiet:
        found.echo = heard.echoed
    return answered or wake.result is not None


def _is_no_modem(found: Findings, heard: Heard) -> bool:
    """Whether what came is not AT's, or not to be read; ``found`` says what then."""
    if heard.parity:
        found.why = f"it answers AT with {heard.parity}, and 8N1 is asked for: set its port so"
    elif heard.nuls > 16:
        found.why = f"it sends {heard.nuls} NULs"
    elif heard.result is None and heard.size > NOISE_BYTES:
        found.why = "it sends data of its own, and no answer to AT"
    return bool(found.why)


def ask_identity(found: Findings | None = None) -> Generator[Step, Heard, Identity]:
    """Who it is (V.250 §6.1). One that stops answering is asked no more: a late answer would be taken for the
    answer to the next question."""
    silent = False

    def ask(command: str) -> Generator[Step, Heard, list[str]]:
        nonlocal silent
        if silent:
            return []
        heard = yield Ask(command, IDENTITY_SECONDS)
        if heard.result is None:
            silent = True
            if found is not None:
                found.why = f"it stopped answering at {command}"
        if heard.result is None or heard.result.code is not Code.OK:
            return []
        return [told(line, command) for line in heard.lines(command)]

    information = {}
    for command in ("ATI", "ATI3"):
        information[command] = " / ".join((yield from ask(command)))
    if "robotics" in information["ATI3"].lower():
        information["ATI7"] = " / ".join((yield from ask("ATI7")))
    manufacturer = " ".join((yield from ask("AT+GMI")))
    model = revision = serial = ""
    capabilities: tuple[str, ...] = ()
    modulations: tuple[str, ...] = ()
    if manufacturer or not information["ATI3"]:
        model = " ".join((yield from ask("AT+GMM")))
        revision = " ".join((yield from ask("AT+GMR")))
        serial = " ".join((yield from ask("AT+GSN")))
        capabilities = _names(",".join((yield from ask("AT+GCAP"))))
        modulations = _first_list((yield from ask("AT+MS=?")))
    fax_classes = _names(",".join((yield from ask("AT+FCLASS=?"))))
    return Identity(
        manufacturer, model, revision, serial, capabilities, fax_classes, modulations,
        tuple((command, text) for command, text in information.items() if text),
    )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("()") for name in text.split(",") if name.strip().strip("()"))


def _first_list(lines: list[str]) -> tuple[str, ...]:
    """The first list in brackets: what +MS=? begins with (V.250 §6.4.1)."""
    text = " ".join(lines)
    return _names(text[text.find("(") + 1 : text.find(")")]) if "(" in text else ()
