"""How a modem is found on a port and asked who it is. Sans-I/O: what to do next is yielded, what came is sent in.

A port that speaks AT answers AT, if only with ERROR. One that was left with Q1 answers nothing until it is told
otherwise; one that was left with a call needs +++; one at another speed needs that speed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from drivers.at import Code, Echo, Event, Identity, Result, Text, is_unsolicited

ANSWER_SECONDS = 0.12
"""How long an AT may take to answer before the next way is tried. A modem of 1990 takes 20 ms."""
IDENTITY_SECONDS = 1.0
SETTLE_SECONDS = 1.0
GUARD_SECONDS = 1.05
"""S12's default of 50 fiftieths of a second, and a little more."""
QUICK_SPEEDS = (115200, 9600, 38400, 57600, 19200)
ALL_SPEEDS = (*QUICK_SPEEDS, 2400, 1200, 300, 4800, 230400)
NOISE_BYTES = 256
"""More than this, and no result code in it: the port speaks something else."""


@dataclass(frozen=True)
class Ask:
    """Send a command line, and wait for its result code for so many seconds."""

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
    """What came after a step, until its result code or its time. ``size`` in bytes, NULs among them."""

    events: tuple[Event, ...] = ()
    size: int = 0
    nuls: int = 0

    @property
    def result(self) -> Result | None:
        return next((event for event in self.events if isinstance(event, Result) and event.code is not Code.RING), None)

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
    ordered = [first_speed, *others]
    for speed in ordered:
        if speed != first_speed:
            yield SetSpeed(speed)
        if (yield from _try_attention(found)):
            found.speed = speed
            break
        if found.why:
            return found
    if not found.speed and patient and not online:
        yield SetSpeed(first_speed)
        heard = yield Escape()
        found.online = heard.result is not None
        if (yield from _try_attention(found)):
            found.speed = first_speed
    if not found.speed:
        found.why = "nothing answers AT"
        return found
    if found.online:
        yield Ask("ATH0", IDENTITY_SECONDS)
    if (yield from _brought_into_step(found)):
        found.identity = yield from ask_identity(found)
    else:
        found.why = "its answers come one question late, so what it says is not to be trusted"
    return found


def _brought_into_step(found: Findings) -> Generator[Step, Heard, bool]:
    """Whether an answer belongs to its question, or does once late ones were waited for: the far side of a network,
    or a busy machine, may take longer over AT than we wait for it. S3 and S4 are asked because their values are
    known: CR and LF (V.250 §6.2.1, §6.2.2); the second time another than the first, whose answer may be still to come.
    """
    if (yield from _shown("ATS3?", "13")):
        return True
    yield Settle(SETTLE_SECONDS)
    found.quiet = False  # it had answered, only late
    return (yield from _shown("ATS4?", "10"))


def _shown(command: str, value: str) -> Generator[Step, Heard, bool]:
    """Whether a register is shown as it must be; of a modem that has none to show, nothing is known against it."""
    heard = yield Ask(command, IDENTITY_SECONDS)
    if heard.result is None or heard.result.code is not Code.OK:
        return True
    return any(value in line for line in heard.lines(command))


def _try_attention(found: Findings) -> Generator[Step, Heard, bool]:
    """Whether AT is answered at this speed; a modem is told to answer in words, without echo."""
    heard = yield Ask("AT", ANSWER_SECONDS)
    if heard.nuls > 16 or (heard.result is None and heard.size > NOISE_BYTES):
        what = f"{heard.nuls} NULs" if heard.nuls > 16 else "data of its own, and no answer to AT"
        found.why = f"it sends {what}"
        return False
    answered = heard.result is not None
    if answered:
        found.echo, found.numeric = heard.echoed, bool(heard.result and heard.result.text.isdecimal())
    wake = yield Ask("ATE0Q0V1", ANSWER_SECONDS if not answered else IDENTITY_SECONDS)
    found.quiet = not answered and wake.result is not None
    if found.quiet:
        found.echo = heard.echoed
    return answered or wake.result is not None


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
        prefix = command.removeprefix("AT").rstrip("=?") + ":"
        return [line.removeprefix(prefix).strip().strip('"') for line in heard.lines(command)]

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
