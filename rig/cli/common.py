"""What the commands share: naming a bench, and entering the lab."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from drivers.errors import CannotRunError
from rig import lab
from rig.bench import Bench
from rig.bench_files import load

_Command = TypeVar("_Command", bound=Callable[..., Any])


def as_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(value, default=str)


def bench_option(command: _Command) -> _Command:
    return click.option(
        "--bench", metavar="NAME|FILE", envvar="RIG_BENCH", help="The bench: a shipped one by name, or a TOML file."
    )(command)


def lab_option(command: _Command) -> _Command:
    return click.option(
        "--lab",
        "engine",
        metavar="native|uml|qemu",
        envvar="RIG_LAB_ENGINE",
        help="Where PPP runs; by default what this machine can do.",
    )(command)


def load_bench(name: str | None) -> Bench:
    """The bench named; without a name, a bench of the one modem that udev finds."""
    return load(name) if name else Bench(name="default")


def enter_lab(engine: str | None, bench: Bench | None) -> None:
    """Go on here when this is the lab; otherwise run this same command line inside, and end with its status.

    Raises CannotRunError when no lab runs here, or a bench needs real devices that the lab does not have.
    """
    if lab.current() != "native":
        return
    usb = bench is not None and bench.near_end.modem.bus == "usb"
    chosen = lab.choose(engine, usb=usb)
    if chosen.name == "native":
        os.environ.update(lab.inside_environment(chosen))
        return
    if bench is not None and not bench.emulated:
        raise CannotRunError(
            f"bench {bench.name} has a real modem or network, which needs PPP on this machine itself; it lacks "
            f"{lab.missing('native')}",
            "run as root on a kernel with PPP (modprobe ppp_async); or try --bench loopback",
        )
    click.echo(f"lab: {chosen.name}; {lab.missing('native', usb=usb)} is missing here", err=True)
    sys.exit(chosen.run([sys.executable, "-m", "rig", *sys.argv[1:]], lab.inside_environment(chosen)))
