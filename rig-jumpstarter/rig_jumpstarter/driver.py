"""A bench, in an exporter of jumpstarter's."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync
from jumpstarter.driver import Driver, export
from rig_farm import frames
from rig_farm.asking import command
from rig_farm.on_bench import ARM, VERBS
from rig_farm.sharing import RUNNER, SharedBench


@dataclass(kw_only=True)
class RigBench(Driver):
    """Its keys, in the exporter's configuration, are SharedBench's.

    It is leased from the first run on it until jumpstarter closes it, which it does when its client's lease ends. Not
    from its beginning: an exporter has one more of each driver, of which it tells its controller, as long as it runs.
    """

    bench: str
    rig: str = "rig"
    partner: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._shared = SharedBench(self.bench, self.rig, self.partner)
        self._taking = threading.Lock()

    @classmethod
    def client(cls) -> str:
        return "rig_jumpstarter.client.RigBenchClient"

    def close(self) -> None:
        """Whatever runs on the bench is interrupted, and takes everything down."""
        with self._taking:
            if not self._shared.end():
                self.logger.warning("the far end did not take itself down, and was killed")
        super().close()

    def _take(self, by: str) -> None:
        with self._taking:
            if not self._shared.had:
                self._shared.take(by)

    @export
    async def run(self, by: str, verb: str, words: list[str]) -> AsyncIterator[str]:
        """The frames of one run (rig_farm.frames). ``by``: who asks; ``verb`` and ``words`` as `rig-on-bench` has them.
        Raises ValueError, which jumpstarter has as INVALID_ARGUMENT, for a verb that is none.

        Who stops listening has it interrupted: it takes everything down, and the next run waits for that.
        """
        if verb not in (ARM, *VERBS):  # before it is a word of a command: it could be an option there
            raise ValueError(f"{verb}: a bench takes {', '.join((ARM, *VERBS))}")
        await run_sync(self._take, by)
        words = command(str(RUNNER), str(self._shared.lease), by, verb, words)
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            while line := await run_sync(process.stdout.readline, frames.LONGEST, abandon_on_cancel=True):
                yield line.decode()
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(_let_go, process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Its client is gone; it takes that for Ctrl-C, and is bounded itself."""
    with process:
        assert process.stdin is not None
        process.stdin.close()
