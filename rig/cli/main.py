"""``rig``: the group of commands, and how an error reaches a person."""

from __future__ import annotations

import importlib
import json
import sys

import click

from rig.drivers.base.errors import CannotRunError, GuestError, InternalError, Interrupted, as_outcome
from rig.drivers.base.interruptions import interruptible

SEE_DOCTOR = "     rig doctor   says what else this machine can run, and what is missing"
COMMANDS = {
    name: f"rig.cli.{name}:{name}"
    for name in (
        "doctor",
        "modem",
        "connect",
        "dial",
        "soak",
        "answer",
        "fence",
        "partner",
        "lab",
        "check",
        "send",
        "consoles",
        "fetch",
        "conform",
        "qualify",
    )
} | {"detect": "rig.cli.detect:detect_command"}
"""Where each is. Most of what a run imports is one command's."""


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rig")
def rig() -> None:
    """A test rig for modems and serial lines: real PPP over real or emulated modems, and a verdict."""


def main() -> None:
    """Entry point: runs a command; whatever it raises becomes a sentence and an exit status."""
    try:
        with interruptible():
            status = rig.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        status = Interrupted.exit_status
    except click.ClickException as error:
        error.show()
        status = 2
    except Exception as raised:  # noqa: BLE001 - the one place behind which there is nobody left to tell
        failure = as_outcome(raised)
        if "--json" in sys.argv:
            click.echo(json.dumps({"outcome": failure.outcome, "exit": failure.exit_status, "message": str(failure)}))
        click.echo(f"rig: {failure}", err=True)
        if failure.advice:
            click.echo(f"     {failure.advice}", err=True)
        if isinstance(failure, GuestError) and failure.console and {"-v", "--verbose"} & set(sys.argv):
            click.echo(f"its console:\n{failure.console}", err=True)
        if isinstance(failure, InternalError) and {"-v", "--verbose"} & set(sys.argv):
            click.echo(failure.trace, err=True)
        if isinstance(failure, CannotRunError):
            click.echo(SEE_DOCTOR, err=True)
        status = failure.exit_status
    sys.exit(status or 0)
