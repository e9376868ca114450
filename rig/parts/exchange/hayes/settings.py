"""What a modem remembers: S-registers, options and extended parameters."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


class Makes(Protocol):
    """What makes differ in here: a profile's Persona."""

    @property
    def fax_classes(self) -> str: ...

    @property
    def capabilities(self) -> Collection[str]: ...

    @property
    def modulations(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class RegisterRule:
    """An S-register's factory value and range (V.250 §6.2, §6.3; Conexant CX930xx manual for S9 to S30)."""

    factory: int
    low: int
    high: int
    read_only: bool = False


REGISTERS: dict[int, RegisterRule] = {
    0: RegisterRule(0, 0, 255),  # rings before automatic answer; 0: none
    1: RegisterRule(0, 0, 255, read_only=True),  # rings counted
    2: RegisterRule(43, 0, 255),  # escape character; above 127: no escape
    3: RegisterRule(13, 0, 127),  # ends a line
    4: RegisterRule(10, 0, 127),  # second character of a line's end
    5: RegisterRule(8, 0, 127),  # takes back a character
    6: RegisterRule(2, 2, 255),  # seconds to wait before dialling, or for dial tone
    7: RegisterRule(50, 1, 255),  # seconds to wait for carrier
    8: RegisterRule(2, 0, 255),  # seconds that a comma pauses
    9: RegisterRule(6, 1, 255),  # tenths of a second that carrier must last to count
    10: RegisterRule(14, 1, 255),  # tenths of a second that carrier may be gone; 255: for ever
    11: RegisterRule(95, 50, 255),  # milliseconds of a DTMF tone, and of the pause behind it
    12: RegisterRule(50, 0, 255),  # fiftieths of a second of silence around the escape
    25: RegisterRule(5, 0, 255),  # hundredths of a second that DTR must be off to count
    30: RegisterRule(0, 0, 255),  # tens of seconds without data after which it hangs up; 0: never
}

# Basic commands that set one number: the values taken. The first group has effects in the engine; the
# second is taken and remembered because people's scripts send it, and means nothing to an emulated line.
EFFECTIVE: dict[str, range | tuple[int, ...]] = {
    "E": range(2), "Q": range(2), "V": range(2), "X": range(5), "W": range(3),
    "&C": range(2), "&D": range(4), "&K": (0, 3, 4, 5, 6), "L": range(4), "M": range(4),
}  # fmt: skip
ACCEPTED: dict[str, range | tuple[int, ...]] = {
    "B": range(20), "C": range(2), "N": range(2), "P": range(1), "T": range(1), "Y": range(2),
    "&A": range(4), "&B": range(2), "&G": range(3), "&H": range(5), "&I": range(4), "&J": range(2), "&L": range(3),
    "&M": range(7), "&N": range(100), "&P": range(4), "&Q": range(10), "&R": range(3), "&S": range(2),
    "&U": range(20), "&X": range(3), "&Y": range(2),
    "\\A": range(4), "\\B": range(10), "\\G": range(2), "\\J": range(2), "\\K": range(6), "\\L": range(2),
    "\\N": range(8), "\\Q": range(8), "\\V": range(4), "\\X": range(2),
    "%C": range(4), "%E": range(4), "-J": range(2), '"H': range(4), "*P": range(4),
}  # fmt: skip
_FACTORY_OPTIONS = {"E": 1, "V": 1, "X": 4, "&C": 1, "&D": 2, "&K": 3, "L": 1, "M": 1, "&Q": 5, "\\N": 3, "%C": 3}

SERVICE_CLASSES = ("0",)
"""What the soft modem can do, of all that the modem can which it stands for: data. A class that is offered has commands
(T.31, T.32, V.253), and a program that finds it goes on with them."""
SPEEDS = (0, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)


@dataclass(frozen=True)
class Parameter:
    """An extended parameter: factory value, the values it takes (V.250 §6), what =? answers."""

    factory: str
    pattern: str
    test: str


def _parameters(persona: Makes) -> dict[str, Parameter]:
    speeds = "|".join(map(str, SPEEDS))
    classes = ",".join(each for each in persona.fax_classes.split(",") if each in SERVICE_CLASSES)
    parameters = {
        "IPR": Parameter("0", speeds, f"(),({','.join(map(str, SPEEDS))})"),
        "IFC": Parameter("2,2", r"[0-2](,[0-2])?", "(0-2),(0-2)"),
        "ICF": Parameter("3,3", r"[0-6](,[0-3])?", "(0-6),(0-3)"),
        "DR": Parameter("0", "[01]", "(0,1)"),
        "ER": Parameter("0", "[01]", "(0,1)"),
        "ILRR": Parameter("0", "[01]", "(0,1)"),
        "DS": Parameter("3,0,2048,20", r"[0-3](,[01])?(,\d+)?(,\d+)?", "(0-3),(0,1),(512-2048),(6-250)"),
        "ES": Parameter("3,0,2", r"[0-7](,[0-4])?(,[0-9])?", "(0-7),(0-4),(0-9)"),
        "FCLASS": Parameter("0", classes.replace(".", r"\.").replace(",", "|"), classes),
    }
    if "+CGSM" in persona.capabilities:  # 3GPP 27.007 §9.1
        parameters["CMEE"] = Parameter("0", "[0-2]", "(0-2)")
    if persona.modulations:
        carriers = "|".join(persona.modulations)
        rate = r"(?:,\d{1,6})?"
        parameters["MS"] = Parameter(
            f"{persona.modulations[-1]},1",
            rf'"?(?:{carriers})"?(?:,[01])?{rate * 4}',
            f"({','.join(persona.modulations)}),(0,1),(300-33600),(300-33600)",
        )
    return parameters


@dataclass
class Settings:
    """Everything that Z, &F and &W load and store."""

    registers: dict[int, int]
    options: dict[str, int]
    extended: dict[str, str]

    @classmethod
    def factory(cls, persona: Makes) -> Settings:
        options = dict.fromkeys([*EFFECTIVE, *ACCEPTED], 0) | _FACTORY_OPTIONS
        parameters = {name: parameter.factory for name, parameter in _parameters(persona).items()}
        return cls({number: rule.factory for number, rule in REGISTERS.items()}, options, parameters)

    def copy(self) -> Settings:
        return copy.deepcopy(self)

    def set_register(self, number: int, value: int) -> bool:
        """Whether there is such a register, it may be written and takes the value; it is set then."""
        rule = REGISTERS.get(number)
        if rule is None or rule.read_only or not rule.low <= value <= rule.high:
            return False
        self.registers[number] = value
        return True

    def set_option(self, name: str, value: int) -> bool:
        """Whether there is such an option and it takes the value; it is set then."""
        allowed = EFFECTIVE.get(name, ACCEPTED.get(name))
        if allowed is None or value not in allowed:
            return False
        self.options[name] = value
        return True

    def set_extended(self, persona: Makes, name: str, value: str) -> bool:
        """Whether the parameter takes the value; it is set then. Subparameters left out stay as they are."""
        parameter = _parameters(persona).get(name)
        if parameter is None or not re.fullmatch(parameter.pattern, value, re.IGNORECASE):
            return False
        given = value.upper().replace('"', "").split(",")
        kept = self.extended[name].split(",")[len(given) :]
        self.extended[name] = ",".join([*given, *kept])
        return True

    def describe(self) -> list[str]:
        """The lines that &V shows."""
        set_options = " ".join(f"{name}{value}" for name, value in self.options.items() if name in EFFECTIVE)
        registers = " ".join(f"S{number:02d}:{value:03d}" for number, value in self.registers.items())
        extended = " ".join(f"+{name}={value}" for name, value in self.extended.items())
        return ["ACTIVE PROFILE:", set_options, registers, extended]


def test_answer(persona: Makes, name: str) -> str | None:
    """What +NAME=? answers; None where there is no such parameter."""
    parameter = _parameters(persona).get(name)
    return None if parameter is None else parameter.test
