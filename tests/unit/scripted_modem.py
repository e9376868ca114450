"""A modem that does what a test says, on a pty: what field reports tell of makes that nobody here has."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OK = b"\r\nOK\r\n"

Answer = bytes | list[tuple[float, bytes]]
"""What is said at once; or seconds after the command, and what is said then."""


@dataclass
class Script:
    """``answer``: to a command line, in capitals; ``rate`` in bit/s paces both ways. ``heard``: the lines it was sent.
    After ``deaf`` seconds from the end of its OK to ATZ it hears again."""

    answer: Callable[[str], Answer]
    rate: int = 0
    deaf: float = 0.0
    parity: Callable[[int], int] = lambda byte: byte
    device: str = ""
    heard: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


def like_v250(**said: Answer) -> Callable[[str], Answer]:
    """What any modem answers, but for the commands named, as in ``ATZ=...``; _ stands for what no name may have."""

    def answer(command: str) -> Answer:
        name = "".join(letter if letter.isalnum() else "_" for letter in command)
        if name in said:
            return said[name]
        registers = {"ATS3?": b"013", "ATS4?": b"010", "ATS5?": b"008"}
        if command in registers:
            return b"\r\n" + registers[command] + b"\r\n" + OK
        return OK if command.startswith("AT") else b""

    return answer


@contextlib.contextmanager
def scripted(script: Script) -> Iterator[Script]:
    """It, plugged in at ``script.device``."""
    master, slave = os.openpty()
    tty.setraw(slave)
    script.device = os.ttyname(slave)
    thread = threading.Thread(target=_run, args=(script, master))
    thread.start()
    try:
        yield script
    finally:
        script.done.set()
        thread.join()
        os.close(slave)
        os.close(master)


def _run(script: Script, master: int) -> None:
    line = bytearray()
    hears_from = 0.0
    while not script.done.is_set():
        if not select.select([master], [], [], 0.02)[0]:
            continue
        came = os.read(master, 4096)
        if time.monotonic() < hears_from:
            continue
        script.done.wait(len(came) * 10 / script.rate if script.rate else 0)
        line += bytes(byte & 0x7F for byte in came)
        while b"\r" in line:
            text, _, rest = bytes(line).partition(b"\r")
            line = bytearray(rest)
            command = text.decode().upper()
            script.heard.append(command)
            _say(script, master, script.answer(command))
            if command == "ATZ":
                hears_from = time.monotonic() + script.deaf


def _say(script: Script, master: int, answer: Answer) -> None:
    began = time.monotonic()
    for after, data in [(0.0, answer)] if isinstance(answer, bytes) else answer:
        script.done.wait(max(0.0, began + after - time.monotonic()))
        for byte in data:
            script.done.wait(10 / script.rate if script.rate else 0)
            os.write(master, bytes([script.parity(byte)]))
