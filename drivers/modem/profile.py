"""What is known of a make of modem: how it is recognised, which of its ports dials, what it is sent.

One TOML file each in hw-config/modems, with its source. A file may extend another one of the folder, as the
many modems with one chip do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from rig.drivers.base.errors import ConfigError
from rig.drivers.base.tables import Table, convert, read
from rig.drivers.modem.identity import Identity

Kind = Literal["pstn", "cellular", "isdn", "null-modem", "unknown"]


class Match(Table, frozen=True):
    """``usb``: "vendor:product" in hexadecimal; ``text``: regular expressions, one of which is found in what
    the modem says of itself (manufacturer, model, revision and the answers to ATI, one a line)."""

    usb: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


class PortFacts(Table, frozen=True):
    """``interface``: the USB interface that dials; ``untouched``: those that nothing is written to, because they
    carry diagnostics or firmware. ``speed`` in bit/s; ``flow_control``: whether RTS and CTS are real."""

    interface: int | None = None
    untouched: tuple[int, ...] = ()
    speed: int = 115200
    flow_control: bool = True


class Commands(Table, frozen=True):
    """AT command lines. ``configure``: verbose, no echo, all call progress, DCD and DTR as they are, no automatic
    answer; ``init`` follows it; ``dial`` goes before the number."""

    configure: str = "ATE0V1Q0X4&C1&D2S0=0"
    init: tuple[str, ...] = ()
    dial: str = "ATDT"


class Dialect(Table, frozen=True):
    """How this make says what others say otherwise; a key that is missing is not known, or not there.

    ``no_dialtone``: how it spells that result code; ``progress``: lines that come before CONNECT and end nothing.
    """

    error_correction: dict[Literal["off", "on", "required"], str] = msgspec.field(default_factory=dict)
    compression: dict[Literal["off", "on"], str] = msgspec.field(default_factory=dict)
    flow_control: dict[Literal["off", "rts-cts", "xon-xoff"], str] = msgspec.field(default_factory=dict)
    modulation: dict[str, str] = msgspec.field(default_factory=dict)
    caller_id: str = ""
    country: str = ""
    speaker_off: str = ""
    no_dialtone: str = "NO DIALTONE"
    progress: tuple[str, ...] = ()


class TimingFacts(Table, frozen=True):
    """Seconds. ``after_reset``: how long it is deaf after ATZ; ``answer``: the longest it takes to answer;
    ``after_plugging``: how long after it appears it takes to answer at all."""

    after_reset: float = 0.0
    answer: float = 3.0
    after_plugging: float = 0.0


class Interface(Table, frozen=True):
    """A USB interface with a tty, as the software modem shows it. ``modem`` dials, ``at`` takes commands alone."""

    number: int
    role: Literal["modem", "at", "nmea", "diagnostics", "silent"]


class Persona(Table, frozen=True):
    """What a modem of this make says, for the soft modem that stands for it.

    ``information``: the answers to ATI0, ATI1 …; ``answers``: to whole commands that only this make has;
    ``fax_classes``: what the make has, of which the soft modem offers what it can do; ``lacks``: commands that it
    answers with ERROR, ``*`` for any ending; ``accepts``: those that it takes and the soft modem has no meaning for;
    ``unsolicited``: lines that it sends in between, each once; ``extended``: whether it
    knows + commands at all; ``prefixed``: it repeats the command's name before its answer; ``mute``: it says
    nothing, ever; ``connect``: how it words CONNECT; ``answer_delay`` in seconds; ``usb``: whether its
    interfaces are CDC-ACM or of the maker's own class.
    """

    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    serial: str = ""
    capabilities: str = ""
    fax_classes: str = "0,1,1.0"
    modulations: tuple[str, ...] = ("B103", "B212", "V21", "V22", "V22B", "V32", "V32B", "V34")
    information: dict[str, str] = msgspec.field(default_factory=dict)
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    unsolicited: tuple[str, ...] = ()
    extended: bool = True
    prefixed: bool = False
    mute: bool = False
    connect: str = ""
    longest_line: int = 255
    answer_delay: float = 0.0
    usb: Literal["acm", "vendor"] = "acm"
    interfaces: tuple[Interface, ...] = ()


class Profile(Table, frozen=True):
    """A make of modem. ``name`` is the file's own. ``rests_on``: whether somebody has had one on a bench, or
    only its manual. ``cannot``: what nobody should expect of it, one sentence each."""

    title: str
    source: tuple[str, ...]
    rests_on: Literal["hardware", "measurements of others", "manual", "memory"]
    kind: Kind
    name: str = ""
    extends: str = ""
    match: Match = msgspec.field(default_factory=Match)
    port: PortFacts = msgspec.field(default_factory=PortFacts)
    commands: Commands = msgspec.field(default_factory=Commands)
    dialect: Dialect = msgspec.field(default_factory=Dialect)
    timing: TimingFacts = msgspec.field(default_factory=TimingFacts)
    cannot: tuple[str, ...] = ()
    persona: Persona = msgspec.field(default_factory=Persona)

    @property
    def direct(self) -> bool:
        """Whether there is no modem to command: the far end is at the other end of the cable."""
        return self.kind == "null-modem"

    def knows_usb(self, vendor: str, product: str) -> bool:
        return f"{vendor}:{product}".lower() in self.match.usb

    def recognised_in(self, identity: Identity) -> int:
        """How many of its patterns are found in what a modem says."""
        return sum(bool(re.search(pattern, identity.text, re.IGNORECASE | re.MULTILINE)) for pattern in self.match.text)


ANY = Profile(title="any modem", source=("ITU-T V.250 (07/2003)",), rests_on="manual", kind="unknown")
"""What is said to a modem before it is known: no file is read for it."""


def load(path: Path) -> Profile:
    """A profile from its file. Raises ConfigError, naming the file and the key."""
    data = _with_base(path)
    if "name" in data:
        raise ConfigError(f"{path}: unknown key 'name'; a profile's name is its file's")
    profile: Profile = convert(path, data | {"name": path.stem}, Profile)
    _validate(path, profile)
    return profile


def _with_base(path: Path) -> dict[str, Any]:
    data = read(path)
    base = data.get("extends")
    if base is None:
        return data
    parent = path.parent / f"{base}.toml"
    if not parent.exists():
        raise ConfigError(f"{path}: key 'extends': there is no {parent.name} beside it")
    inherited = read(parent)
    if "extends" in inherited:
        raise ConfigError(f"{path}: key 'extends': {parent.name} extends another itself; one step is enough")
    inherited.pop("match", None)  # what recognises the base does not recognise this one
    merged = dict(inherited)
    for key, value in data.items():
        merged[key] = merged.get(key, {}) | value if isinstance(value, dict) else value
    return merged


def _validate(path: Path, profile: Profile) -> None:
    def wrong(key: str, what: str) -> ConfigError:
        return ConfigError(f"{path}: key {key!r}: {what}")

    if not profile.source:
        raise wrong("source", "it takes at least one source: a manual, a driver, a measurement")
    for usb in profile.match.usb:
        if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", usb):
            raise wrong(
                "match.usb", f"it takes four hexadecimal digits in small letters, a colon and four more: {usb!r}"
            )
    for pattern in profile.match.text:
        try:
            re.compile(pattern)
        except re.error as error:
            raise wrong("match.text", f"{pattern!r} is no regular expression: {error}") from None
    for command in (profile.commands.configure, *profile.commands.init, profile.commands.dial):
        if not command.upper().startswith("AT") or not command.isprintable():
            raise wrong("commands", f"a command line begins with AT: {command!r}")
    if profile.port.interface in profile.port.untouched:
        raise wrong("port.interface", "the interface that dials is one of those not to be touched")
