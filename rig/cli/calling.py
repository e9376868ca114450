"""What the commands share that call home by whatever way a bench has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rig.cli.common import checked_numbers, gateway_number
from rig.config.bench import Bench
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number

_Command = TypeVar("_Command", bound=Callable[..., Any])


def way_number_option(command: _Command) -> _Command:
    return click.option(
        "--number", "numbers", multiple=True, callback=checked_numbers,
        help="A number to dial, on a bench that dials; default: the emulated gateway's.",
    )(command)  # fmt: skip


def attempts_option(command: _Command) -> _Command:
    return click.option(
        "--attempts", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
        help="Open the way at most N times: it goes on where it stopped.",
    )(command)  # fmt: skip


def numbers_for(bench: Bench, numbers: tuple[Number, ...]) -> tuple[Number, ...]:
    """Those to dial on a bench; none on one that does not dial. Raises UsageError."""
    if numbers and not bench.dials:
        raise UsageError(f"bench {bench.name} dials no number", "leave out --number")
    return numbers or ((gateway_number(bench),) if bench.dials else ())
