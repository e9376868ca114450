"""How a far end's process is asked: one line of JSON each way over a Unix socket that its owner alone may use.

A request is ``{"do": name, ...arguments}``, the answer ``{"value": …}`` or ``{"error": text, "advice": text}``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.drivers.base.errors import RigError

ANSWER_SECONDS = 60.0
"""For one answer. Most come at once; a first USB modem's when four kernel modules are loaded, on an emulated processor
that others use as well."""

Handler = Callable[..., Any]


class ControlError(RigError):
    """The far end did not do what it was asked, or is gone."""

    outcome = "FAR END FAILED"


class Control:
    """Asks one far end. Raises ControlError with its own words, or when it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self, what: str, **arguments: Any) -> Any:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_SECONDS)
                connection.connect(str(self.path))
                connection.sendall(json.dumps({"do": what, **arguments}).encode() + b"\n")
                answer = json.loads(connection.makefile("rb").readline() or b'{"error": "it ended without an answer"}')
        except TimeoutError:
            raise ControlError(f"{self.path.name}: {what}: no answer within {ANSWER_SECONDS:g} s") from None
        except ConnectionRefusedError:
            raise ControlError(f"{self.path.stem} has ended{self._last_words()}") from None
        except (OSError, ValueError) as error:
            raise ControlError(f"{self.path.name}: {what}: {error}") from error
        if "error" in answer:
            raise ControlError(f"{self.path.name}: {what}: {answer['error']}", answer.get("advice", ""))
        return answer["value"]

    def _last_words(self) -> str:
        """The end of its log, which lies beside its socket."""
        log = self.path.with_suffix(".log")
        lines = log.read_text(errors="replace").split("\n") if log.exists() else []
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"; the last that it logged: {last}" if last else ""


def respond(handlers: dict[str, Handler], line: bytes) -> bytes:
    """The answer to one request."""
    try:
        request = json.loads(line)
        value = handlers[request.pop("do")](**request)
        return json.dumps({"value": value}).encode() + b"\n"
    except RigError as error:
        return json.dumps({"error": str(error), "advice": error.advice}).encode() + b"\n"
    except Exception as error:  # noqa: BLE001 - who asks is told: a far end does not die of a question
        return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n"


async def serve(path: Path, handlers: dict[str, Handler]) -> asyncio.Server:
    """Answer on ``path`` from within asyncio's loop, so that a handler runs between two of its events."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(respond(handlers, line))
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(conversation, path)


def serve_in_thread(path: Path, handlers: dict[str, Handler]) -> None:
    """Answer on ``path`` from a thread, for a far end that has no loop."""
    path.unlink(missing_ok=True)  # of one that was killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def converse(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                connection.sendall(respond(handlers, line))

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True, name=f"control {path.name}").start()
