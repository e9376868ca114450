"""A bench, to who has it from jumpstarter: in a test, or by the command `j`."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from jumpstarter.client import DriverClient
from rig_farm.asking import somebody
from rig_farm.errors import BenchLostError, FarmError
from rig_farm.on_bench import ARM, VERBS
from rig_farm.outcome import Outcome, collect


@dataclass(kw_only=True)
class RigBenchClient(DriverClient):
    """Each method is a run of the rig on the machine where the bench stands. It returns an Outcome, whatever the
    verdict; ``.check()`` raises where it is not a good one. Raises LeaseError, BenchLostError, and jumpstarter's
    DriverError.
    """

    def run(
        self,
        verb: str,
        *words: str,
        folder: Path | None = None,
        line: Callable[[str], None] | None = None,
    ) -> Outcome:
        """``verb``: arm, dial, connect, answer, fence, send, with the words that the rig's command takes; ``folder``
        for its report, else one is made; ``line`` is told of each line as it comes, else it is logged."""
        folder = folder or Path(tempfile.mkdtemp(prefix="rig-bench-"))
        told = line or (lambda text: self.logger.info("%s", text))
        with contextlib.closing(self._frames(verb, words)) as came:
            outcome = collect(came, folder, told)
        if outcome is None:
            raise BenchLostError("its exporter stopped in the middle of the run")
        return outcome

    def _frames(self, verb: str, words: tuple[str, ...]) -> Generator[bytes, None, None]:
        with contextlib.closing(self.streamingcall("run", somebody(), verb, list(words))) as came:
            for frame in came:
                yield frame.encode()

    def arm(self) -> Outcome:
        """Wait until the bench's far end, where it has one while it is had, says that it is ready."""
        return self.run(ARM)

    def dial(self, number: str, *words: str) -> Outcome:
        """Dial home: ``rig dial``."""
        return self.run("dial", "--number", number, *words)

    def connect(self, *words: str) -> Outcome:
        """Whatever way home the bench has: ``rig connect``."""
        return self.run("connect", *words)

    def fence(self, number: str, *words: str) -> Outcome:
        """Probe the gateway's fence: ``rig fence check``."""
        return self.run("fence", "--number", number, *words)

    def answer(self, *words: str) -> Outcome:
        """Take one inbound call: ``rig answer``."""
        return self.run("answer", *words)

    def cli(self) -> click.Group:
        """`j BENCH dial --number …`, with the rig's own words and exit status; ``--report DIR`` is a folder here."""
        group = click.Group("bench", help="A bench of rig's: what it says, its exit status, and its report come here.")
        for verb in sorted([ARM, *(verb for verb in VERBS if verb != "soak")]):
            group.add_command(self._command(verb))
        return group

    def _command(self, verb: str) -> click.Command:
        def run(report: Path | None, words: tuple[str, ...]) -> int:
            try:
                outcome = self.run(verb, *words, folder=report, line=click.echo)
            except FarmError as error:
                raise click.ClickException(str(error)) from None
            if outcome.why:
                click.echo(outcome.why, err=True)
            click.echo(f"report: {outcome.folder}", err=True)
            return outcome.exit

        parameters: list[click.Parameter] = [
            click.Option(["--report"], type=click.Path(path_type=Path), help="a folder here; else one is made"),
            click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
        ]
        settings: dict[str, Any] = {"ignore_unknown_options": True}
        return click.Command(verb, context_settings=settings, callback=run, params=parameters)
