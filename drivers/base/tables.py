"""TOML files into frozen, typed structures; whatever is wrong names the file, the key and what it takes."""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

import msgspec

from rig.drivers.base.errors import ConfigError, UsageError
from rig.drivers.base.typed_json import ONE_LEARNS


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """A TOML table. Its keys have a dash where the fields have an underscore."""


def read(path: Path) -> dict[str, Any]:
    """A TOML file as it stands. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def convert(path: Path, data: dict[str, Any], kind: Any) -> Any:
    """What was read, as a Table. Raises ConfigError, which names key and file."""
    try:
        with ONE_LEARNS:
            return msgspec.convert(data, kind, dec_hook=_decode, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(_with_entries_named(str(error), data, kind), kind)}") from None


def _with_entries_named(message: str, data: Any, kind: Any) -> str:
    """msgspec's message with the name of each entry of a dict in its path: msgspec itself has ``[...]`` there."""
    while "[...]" in message:
        before = message.rpartition(" - at ")[2].split("[...]")[0].strip("`").removeprefix("$").lstrip(".")
        entries, of_entry = data, _type_at(kind, before, of_dict=True)
        for part in re.findall(r"[^.\[\]]+", before):
            entries = entries[int(part) if isinstance(entries, list) else part]
        wrong = next(name for name, value in entries.items() if not _converts(value, of_entry))
        message = message.replace("[...]", f".{wrong}" if re.fullmatch(r"[\w-]+", wrong) else f'."{wrong}"', 1)
    return message


def _converts(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, dec_hook=_decode, strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _decode(kind: type, value: Any) -> Any:
    if not isinstance(value, str):  # ipaddress takes 7 for 0.0.0.7
        raise ValueError(f"it takes text in quotes, not {value!r}")  # noqa: TRY004 - what msgspec makes its own of
    try:
        return kind(value)
    except (ValueError, UsageError) as error:
        raise ValueError(str(error)) from None


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Table)


def _type_at(kind: Any, place: str, *, of_dict: bool = False) -> Any:
    """The type that the key at a path is to have; a table's own for the path of a table. ``of_dict``: of the entries
    of the dict that is there."""
    for part in [part for part in re.split(r"[.\[\]]+", place) if part and not part.isdecimal()]:
        if not _is_table(kind):
            break
        names = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        kind = names.get(part, kind)
        if of_dict and typing.get_origin(kind) is dict:
            return typing.get_args(kind)[1]
        kind = next((inner for inner in typing.get_args(kind) if _is_table(inner)), kind)
    return kind


def _explain(message: str, kind: Any) -> str:
    """msgspec's message with the key as TOML writes it, and what it takes, or the nearest key there is."""
    said, _, where = message.partition(" - at ")
    place = where.strip("`").removeprefix("$").lstrip(".")
    wanted = _type_at(kind, place)
    unknown = re.search(r"unknown field `(.+?)`", said)
    if unknown:
        known = [field.encode_name for field in msgspec.structs.fields(wanted)]
        near = difflib.get_close_matches(unknown[1], known, 1, 0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"
        return f"unknown key {f'{place}.{unknown[1]}'.lstrip('.')!r}; {hint}"
    missing = re.search(r"missing required field `(.+?)`", said)
    if missing:
        return f"key {f'{place}.{missing[1]}'.lstrip('.')!r} is missing"
    if typing.get_origin(wanted) is Literal and "enum" in said:
        return f"key {place!r}: it takes {' or '.join(map(repr, typing.get_args(wanted)))}; {said}"
    return f"key {place!r}: {said.replace('Expected', 'it takes')}"
