"""``rig lab``."""

from __future__ import annotations

import click

from rig.cli.common import lab_option
from rig.drivers.base.errors import CannotRunError, UsageError
from rig.lab import staying
from rig.lab.engines import environment_inside, guests, run_in_guest, usable
from rig.run.command import run_command


@click.group()
def lab() -> None:
    """The kernel with PPP that benches run in."""


def usb_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option("--usb", is_flag=True, help="A lab with software USB.")(command)


def console_option(command: click.decorators.FC) -> click.decorators.FC:
    """main() looks for it, where a guest has failed."""
    shown = "Show the console of a guest that does not start."
    return click.option("-v", "--verbose", is_flag=True, expose_value=False, help=shown)(command)


@lab.command("run", epilog="Example: rig lab run -- ip link")
@lab_option
@usb_option
@click.option("--own", is_flag=True, help="In a guest of its own, whatever guest is up.")
@console_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(engine: str | None, usb: bool, own: bool, command: tuple[str, ...]) -> int:
    """Run COMMAND inside the lab; the exit status is its own."""
    names = usable(engine, usb=usb)
    if names[0] == "native":
        return run_command(command, environment_inside())
    return run_in_guest(names, command, environment_inside(), own=own)


@lab.command("up", epilog="Example: rig lab up && rig dial --number 1-800-555-0100 --bench loopback")
@lab_option
@usb_option
@console_option
@click.option(
    "--quiet-for", type=click.FloatRange(min=1), default=staying.QUIET_SECONDS, metavar="S", show_default=True,
    help="End it when nobody has used it for S seconds.",
)  # fmt: skip
def up(engine: str | None, usb: bool, quiet_for: float) -> None:
    """Start a guest that stays: every command of this checkout then runs in it, without waiting for one to start."""
    name = usable(engine, usb=usb)[0]
    if name == "native":
        raise UsageError("this machine's own kernel is the lab: there is no guest to start", "--lab uml for one")
    new = staying.keep(name, quiet_for)
    state = staying.state(name)
    if state is None:
        raise CannotRunError(f"the guest ({name}) started, and ended again", "rig lab run -- true   shows one alone")
    running = f", {state['commands']} commands in it" if state["commands"] else ""
    since = "is up" if new else f"was up already, for {state['seconds']:.0f} s{running}"
    click.echo(f"lab: {name} {since}; it ends after {state['quiet']:g} s without a command, or with: rig lab down")


@lab.command("down", epilog="Example: rig lab down")
def down() -> None:
    """End the guest that stays, and whatever runs in it. Exit status 0 also when there was none."""
    ended = [name for name in guests() if staying.end(name)]
    click.echo(f"lab: {' and '.join(ended)} ended" if ended else "lab: no guest was up")
