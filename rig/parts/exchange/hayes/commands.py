"""What each command does to the modem. A command answers NEXT (go on with the line), a result code, or
nothing, when the result comes later: a call is under way, or the modem is in data state again."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from rig.parts.exchange.hayes.dialling import compile_string
from rig.parts.exchange.hayes.events import ModemState
from rig.parts.exchange.hayes.parse import Basic, Command, Dial, Extended, Register
from rig.parts.exchange.hayes.results import Code
from rig.parts.exchange.hayes.settings import Settings, test_answer

if TYPE_CHECKING:
    from rig.parts.exchange.hayes.engine import Engine


class _Next:
    """The line goes on."""


NEXT = _Next()
Answer = _Next | Code | None


def execute(engine: Engine, command: Command) -> Answer:
    """Do one command of a line."""
    name = spelling(command)
    if any(fnmatchcase(name, lacking) for lacking in engine.persona.lacks):
        return Code.ERROR
    if any(fnmatchcase(name, accepted) for accepted in engine.persona.accepts):
        return NEXT
    if isinstance(command, Dial):
        return _dial(engine, command.string)
    if isinstance(command, Register):
        return _register(engine, command)
    if isinstance(command, Extended):
        return _extended(engine, command)
    handler = _ACTIONS.get(command.name)
    if handler:
        return handler(engine, command.value)
    return NEXT if engine.settings.set_option(command.name, command.value) else Code.ERROR


def spelling(command: Command) -> str:
    """A command as a profile's ``lacks`` names it: ``\\N1``, ``S48``, ``+GMI``."""
    match command:
        case Basic(name, value):
            return f"{name}{value}"
        case Register(number):
            return f"S{number}"
        case Extended(name):
            return f"+{name}"
        case _:
            return "D"


def _dial(engine: Engine, string: str) -> Answer:
    program = compile_string(string)
    if program is None or engine.state is ModemState.ONLINE_COMMAND:
        return Code.ERROR
    engine.dial(program)
    return None


def _register(engine: Engine, command: Register) -> Answer:
    if command.value is None:
        value = engine.settings.registers.get(command.number)
        if value is None:
            return Code.ERROR
        engine.information(f"{value:03d}")
        return NEXT
    return NEXT if engine.settings.set_register(command.number, command.value) else Code.ERROR


def _answer(engine: Engine, value: int) -> Answer:
    if value or engine.off_hook:
        return Code.ERROR
    engine.answer()
    return None


def _hook(engine: Engine, value: int) -> Answer:
    if value == 0:
        engine.hang_up()
        return NEXT
    return Code.ERROR


def _information(engine: Engine, value: int) -> Answer:
    text = engine.persona.information.get(str(value))
    if text is None:
        return Code.ERROR
    for line in text.splitlines():
        engine.information(line)
    return NEXT


def _online(engine: Engine, value: int) -> Answer:
    if value > 1:
        return Code.ERROR
    return None if engine.go_online() else Code.ERROR


def _reset(engine: Engine, value: int) -> Answer:
    """Z: the stored profile; what follows on the line is ignored (V.250 §6.1.1)."""
    if value > 1:
        return Code.ERROR
    engine.hang_up()
    engine.settings = engine.stored.copy()
    return Code.OK


def _factory(engine: Engine, value: int) -> Answer:
    if value > 2:
        return Code.ERROR
    engine.settings = Settings.factory(engine.persona)
    return NEXT


def _view(engine: Engine, value: int) -> Answer:
    if value:
        return Code.ERROR
    for line in engine.settings.describe():
        engine.information(line)
    return NEXT


def _write(engine: Engine, value: int) -> Answer:
    if value > 1:
        return Code.ERROR
    engine.stored = engine.settings.copy()
    return NEXT


_ACTIONS: dict[str, Callable[[Engine, int], Answer]] = {
    "A": _answer,
    "H": _hook,
    "I": _information,
    "O": _online,
    "Z": _reset,
    "&F": _factory,
    "&V": _view,
    "&W": _write,
}


def _identity(engine: Engine, name: str) -> str | None:
    """What it says of itself; empty where this make has no such command, None where no make has."""
    who = engine.persona
    texts = {
        "GMI": who.manufacturer,
        "GMM": who.model,
        "GMR": who.revision,
        "GSN": who.serial,
        "FMI": who.manufacturer,
        "FMM": who.model,
        "FMR": who.revision,
        "GCAP": who.capabilities,
    }
    if engine.profile.kind == "cellular":  # 3GPP 27.007 §5: the same questions with a C
        texts |= {f"C{each}": texts[each] for each in ("GMI", "GMM", "GMR", "GSN")}
    text = texts.get(name)
    return f"+{name}: {text}" if text and (who.prefixed or name == "GCAP") else text


def _extended(engine: Engine, command: Extended) -> Answer:
    if not engine.persona.extended:
        return Code.ERROR
    identity = _identity(engine, command.name)
    if identity is not None:
        if not identity:
            return Code.ERROR
        if command.kind in ("", "?"):
            engine.information(identity)
        return NEXT if command.kind in ("", "?", "=?") else Code.ERROR
    if command.kind == "?" and command.name in engine.settings.extended:
        value = engine.settings.extended[command.name]
        engine.information(value if command.name == "FCLASS" else f"+{command.name}: {value}")
        return NEXT
    if command.kind == "=?":
        test = test_answer(engine.persona, command.name)
        if test is None:
            return Code.ERROR
        engine.information(test if command.name == "FCLASS" else f"+{command.name}: {test}")
        return NEXT
    if command.kind == "=" and engine.settings.set_extended(engine.persona, command.name, command.value):
        return NEXT
    return Code.ERROR
