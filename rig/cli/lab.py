"""``rig lab``."""

from __future__ import annotations

import click

from rig import lab as engines
from rig.cli.common import lab_option


@click.group()
def lab() -> None:
    """The kernel with PPP that benches run in."""


@lab.command("run", epilog="Example: rig lab run -- ip link")
@lab_option
@click.option("--usb", is_flag=True, help="A lab with software USB.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(engine: str | None, usb: bool, command: tuple[str, ...]) -> int:
    """Run COMMAND inside the lab; the exit status is its own."""
    chosen = engines.choose(engine, usb=usb)
    return chosen.run(command, engines.inside_environment(chosen))
