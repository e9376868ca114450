"""``rig modem --bench``: a terminal to a bench's own modem, on its emulated exchange, whose other modems answer."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterator, Sequence

from msgspec import structs

from rig.config.bench import Bench
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.modem import Modem
from rig.drivers.serial.serial_line import SerialLine
from rig.parts.exchange.emulated import NEAR_LINE, EmulatedExchange
from rig.run.owner import Owner

ANSWERS = "ATE0Q1S0=1"
"""Without echo and result codes: what is then read from its port is what the caller says."""
CHUNK = 4096


@contextlib.contextmanager
def on_exchange(bench: Bench, speaker: str | None) -> Iterator[tuple[str, list[str]]]:
    """The port of its modem, and for a person what may be dialled there. ``speaker``: the sound card that is the
    modem's loudspeaker ("" for the default one), or None. Raises UsageError for a bench without an exchange, or with
    lines that nobody can listen to; ControlError where there is no such card."""
    if bench.exchange is None or not bench.near_end.modem.emulated:
        raise UsageError(f"bench {bench.name} has no emulated modem", "rig modem --bench analogue")
    if speaker is not None:
        if bench.exchange.line != "analogue":
            raise UsageError(f"bench {bench.name}: its lines carry no sound", "rig modem --bench analogue --listen")
        bench = structs.replace(bench, exchange=structs.replace(bench.exchange, pace="real"))
    with Owner() as owner, contextlib.ExitStack() as answering:
        lines = EmulatedExchange(bench, owner)
        lines.process.wait_ready()
        port = lines.near_end()
        if speaker is not None:
            lines.control.ask("listen", line=NEAR_LINE, device=speaker)
        names = [name for entry in lines.plan.entries for name in entry.line_names()]
        answering.enter_context(repeating([str(lines.plan.port(name)) for name in names]))
        yield port, [f"{one.number}: {_KINDS.get(one.kind, one.kind)}" for one in lines.plan.entries]


_KINDS = {"modem": "a modem that says again what it hears"}


@contextlib.contextmanager
def repeating(ports: Sequence[str]) -> Iterator[None]:
    """Modems answer, and say again what they hear, meanwhile."""
    with contextlib.ExitStack() as held:
        open_lines = [held.enter_context(SerialLine(port)) for port in ports]
        for line in open_lines:
            Modem(line).reset()
            line.write(ANSWERS.encode() + b"\r")
        ended, end = os.pipe()
        held.callback(os.close, ended)
        thread = threading.Thread(target=_repeat, args=(open_lines, ended), name="answering modems", daemon=True)
        thread.start()
        try:
            yield
        finally:
            os.close(end)
            thread.join()


def _repeat(lines: Sequence[SerialLine], ended: int) -> None:
    by_handle = {line.fileno(): line for line in lines}
    while True:
        ready, _, _ = select.select([*by_handle, ended], [], [])
        if ended in ready:
            return
        for handle in ready:
            with contextlib.suppress(BlockingIOError):
                by_handle[handle].write(os.read(handle, CHUNK))
