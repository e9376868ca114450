"""What the commands share: naming a bench, and entering the lab."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from rig import lab
from rig.cli.main import SEE_DOCTOR
from rig.config.bench import Bench
from rig.config.bench_files import DEFAULT, load_or_default
from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import CannotRunError, UsageError
from rig.drivers.modem.number import Number
from rig.run.results import make_folder
from rig.verdict.verdict import Ending

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _complete_bench(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """The shipped benches by name; otherwise a file."""
    names = sorted(path.stem for path in (HW_CONFIG / "benches").glob(f"{begun}*.toml"))
    return [CompletionItem(name) for name in names] or [CompletionItem(begun, type="file")]


def bench_option(command: _Command) -> _Command:
    return click.option(
        "--bench",
        metavar="NAME|FILE",
        envvar="RIG_BENCH",
        shell_complete=_complete_bench,
        help="The bench: a shipped one by name, or a TOML file.",
    )(command)


def lab_option(command: _Command) -> _Command:
    return click.option(
        "--lab",
        "engine",
        metavar="native|uml|qemu",
        envvar="RIG_LAB_ENGINE",
        help="Where PPP runs; by default what this machine can do.",
    )(command)


def numbers_option(command: _Command) -> _Command:
    return click.option(
        "--number",
        "numbers",
        multiple=True,
        required=True,
        callback=checked_numbers,
        help="A number to dial; several are tried in order.",
    )(command)


def checked_numbers(_context: click.Context, _option: click.Parameter, numbers: tuple[str, ...]) -> tuple[Number, ...]:
    """Raises UsageError for one that no modem would take."""
    return tuple(Number(number) for number in numbers)


def json_option(command: _Command) -> _Command:
    return click.option("--json", "wants_json", is_flag=True, help="One JSON object on standard output.")(command)


def report_options(command: _Command) -> _Command:
    command = click.option(
        "--report-secrets", is_flag=True, help="Leave passwords in the report's capture, and a VPN's keys beside it."
    )(command)
    return click.option(
        "--report",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="Write report.html, verdict.json, junit.xml, the AT transcript and call.pcapng there.",
    )(command)


def verbosity_options(command: _Command) -> _Command:
    command = click.option("-q", "--quiet", is_flag=True, help="No progress, only the verdict.")(command)
    return click.option("-v", "--verbose", is_flag=True, help="Show every AT answer and every PPP packet.")(command)


def show_outcome(verdict: Ending, report: Path | None = None) -> None:
    """How a run ended, for a person, on standard error."""
    click.echo(f"{verdict.outcome}: {verdict.message}", err=True)
    if verdict.advice:
        click.echo(f"     {verdict.advice}", err=True)
    if verdict.trace and {"-v", "--verbose"} & set(sys.argv):
        click.echo(verdict.trace, err=True)
    if verdict.exit == CannotRunError.exit_status:
        click.echo(SEE_DOCTOR, err=True)
    if report is not None:
        click.echo(f"report: {report}", err=True)


def load_bench(name: str | None) -> Bench:
    """The bench named; without a name, a bench of the one modem that udev finds."""
    return load_or_default(name or DEFAULT)


def load_bench_to_run(name: str | None) -> Bench:
    """As :func:`load_bench`, for a command whose near end is the rig's own. Raises UsageError where it is a device."""
    bench = load_bench(name)
    if bench.consoles is not None:
        raise UsageError(f"bench {bench.name} has no way home", f"rig consoles --bench {name}   holds its consoles")
    if bench.internet is not None and bench.internet.interface:
        raise UsageError(
            f"bench {bench.name}: its console is a device under test, at {bench.internet.interface}",
            f"rig partner {name}   is the network that it is on",
        )
    return bench


def gateway_number(bench: Bench) -> Number:
    """The number of an emulated bench's LIG. Raises UsageError on a bench where only the user knows it."""
    if bench.gateway_number is None:
        raise UsageError("a real bench needs the gateway's number", "--number N")
    return bench.gateway_number


def enter_lab_to_call(engine: str | None, bench: Bench, *results: Path | None) -> None:
    """As :func:`enter_lab`, where the bench's modem is to call or to be called: a real one is looked for first. Raises
    NoModemError too."""
    if bench.dials and not bench.emulated:
        from rig.config.ports import near_port  # what a bench of software has no use for outside the lab

        near_port(bench)
    enter_lab(engine, bench, *results)


def enter_lab(engine: str | None, bench: Bench, *results: Path | None) -> None:
    """Go on here when this is the lab; otherwise run this same command line inside, and end with its status.

    ``results``: folders that are to be written, made where they are not there. Raises UsageError when one cannot be
    written, CannotRunError when no lab runs here, or a bench needs real devices that the lab does not have.
    """
    folders = [folder for folder in results if folder is not None]
    for folder in folders:
        make_folder(folder)
    if lab.current() != "native":
        return
    from rig.lab import engines  # inside, where most of a run's time goes, nobody needs them

    names = engines.usable_for(bench, engine)
    if names[0] == "native":
        os.environ.update(engines.environment_inside())
        return
    lacking = engines.missing("native", usb=bench.usb)
    click.echo(f"lab: {names[0]}; {lacking} is missing here", err=True)
    writable = [folder.resolve() for folder in folders]
    command = [sys.executable, "-m", "rig", *sys.argv[1:]]
    sys.exit(engines.run_in_guest(names, command, engines.environment_inside(), writable))
