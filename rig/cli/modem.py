"""``rig modem``."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import click

from rig.config.bench_files import load
from rig.drivers.base.errors import UsageError
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.exchange_modem import on_exchange
from rig.jobs.talk import run_script, talk
from rig.parts.exchange import replay
from rig.run import transcript


@click.command("modem", epilog="Example: rig modem --port /dev/ttyACM0")
@click.option("--port", metavar="P", help="Talk to the modem on this port; Ctrl-] leaves.")
@click.option(
    "--bench", metavar="B", help="Talk to the modem on the exchange of this emulated bench; it answers itself."
)
@click.option("--listen", is_flag=False, flag_value="", metavar="[CARD]",
              help="Hear that modem's loudspeaker through a sound card, the default one if none is named.")  # fmt: skip
@click.option("--speed", type=click.IntRange(300, 4_000_000), default=115200, show_default=True, help="bit/s")
@click.option(
    "--record", "record_to", metavar="FILE", help="Where the transcript goes; default: results/modem-TIME.jsonl"
)
@click.option("--replay", "replayed", metavar="FILE", help="Be a modem that answers as this transcript did.")
def modem(
    port: str | None, bench: str | None, listen: str | None, speed: int, record_to: str | None, replayed: str | None
) -> int:
    """A terminal to a modem, with all that is said recorded; or a modem that says it again."""
    if sum(map(bool, (port, bench, replayed))) != 1:
        raise UsageError("name one of --port, --bench and --replay", "rig detect   lists the ports")
    if listen is not None and not bench:
        raise UsageError("--listen is for a modem of --bench; a real one has a loudspeaker: ATM1L2")
    if replayed:
        return _replay(Path(replayed))
    with contextlib.ExitStack() as held:
        if bench:
            port, numbers = held.enter_context(on_exchange(load(bench), listen))
            click.echo("\n".join(numbers), err=True)
        assert port is not None
        return _talk(port, speed, record_to)


def _talk(port: str, speed: int, record_to: str | None) -> int:
    file = Path(record_to) if record_to else Path("results") / f"modem-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    with SerialLine(port, speed, rtscts=False) as line, contextlib.ExitStack() as files:
        file.parent.mkdir(parents=True, exist_ok=True)
        out = files.enter_context(file.open("w"))
        if sys.stdin.isatty():
            click.echo(f"{port} at {speed} bit/s; Ctrl-] leaves; recording to {file}", err=True)
        record = transcript.Recorder(out, port, speed).add
        if sys.stdin.isatty():
            talk(line, record)
        else:
            run_script(line, sys.stdin, record)
    click.echo(f"\nrecorded: {file}", err=True)
    return 0


def _replay(file: Path) -> int:
    dialogue = replay.take_apart(transcript.load(file))

    def ready(path: str) -> None:
        click.echo(path)
        count = sum(len(answers) for answers in dialogue.answers.values())
        click.echo(f"answering there as {file} did ({count} commands), until interrupted", err=True)

    replay.serve(dialogue, ready, lambda command: click.echo(f"not in the transcript: {command}", err=True))
    return 0
