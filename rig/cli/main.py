"""``rig``: the group of commands, and how an error reaches a person."""

from __future__ import annotations

import json
import sys

import click

from drivers.errors import CannotRunError, Interrupted, RigError
from drivers.interruptions import interruptible
from rig.cli.answer import answer
from rig.cli.check import check
from rig.cli.common import SEE_DOCTOR
from rig.cli.detect import detect_command
from rig.cli.dial import dial
from rig.cli.doctor import doctor
from rig.cli.fence import fence
from rig.cli.lab import lab
from rig.cli.modem import modem
from rig.cli.partner import partner
from rig.cli.soak import soak


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rig")
def rig() -> None:
    """A test rig for modems and serial lines: real PPP over real or emulated modems, and a verdict."""


for command in (doctor, detect_command, modem, dial, soak, answer, fence, partner, lab, check):
    rig.add_command(command)


def main() -> None:
    """Entry point: runs a command; a RigError becomes a sentence and its exit status."""
    try:
        with interruptible():
            status = rig.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        status = Interrupted.exit_status
    except click.ClickException as error:
        error.show()
        status = 2
    except RigError as error:
        if "--json" in sys.argv:
            click.echo(json.dumps({"outcome": error.outcome, "exit": error.exit_status, "message": str(error)}))
        click.echo(f"rig: {error}", err=True)
        if error.advice:
            click.echo(f"     {error.advice}", err=True)
        if isinstance(error, CannotRunError):
            click.echo(SEE_DOCTOR, err=True)
        status = error.exit_status
    sys.exit(status or 0)
