"""Asks many services at once whose they are."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from drivers.interruptions import waiting
from rig.partners.named_services import greeting

ANSWER_SECONDS = 3.0
"""For an answer that should come over this line, behind what was sent before it."""
SILENT = "no answer"


@dataclass(frozen=True)
class Question:
    """Whose service is at a port?"""

    protocol: Literal["TCP", "UDP"]
    address: IPv4Address
    port: int


def ask_all(questions: Sequence[Question], seconds: float = ANSWER_SECONDS) -> dict[Question, str]:
    """The name that each service says, or what happened instead; all are asked side by side, for so many seconds.

    In the namespace that the calling thread is in.
    """
    said = dict.fromkeys(questions, SILENT)
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for question in questions:
            asker = stack.enter_context(_opened(question))
            try:
                asker.connect((str(question.address), question.port))
                asker.send(b"who is there?")
            except (BlockingIOError, BrokenPipeError):
                pass  # a TCP connection under way; its service speaks without being asked
            except OSError as error:
                said[question] = str(error.strerror).lower()
                continue
            selector.register(asker, selectors.EVENT_READ, question)
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            with waiting():
                ready = selector.select(left)
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                said[key.data] = _heard(key.fileobj)
                selector.unregister(key.fileobj)
    return said


def _opened(question: Question) -> socket.socket:
    kind = socket.SOCK_STREAM if question.protocol == "TCP" else socket.SOCK_DGRAM
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    return made


def _heard(asker: socket.socket) -> str:
    try:
        words = asker.recv(256)
    except OSError as error:
        return str(error.strerror).lower()
    before, _, after = greeting("\0").partition(b"\0")
    if words.startswith(before) and words.endswith(after):
        return words[len(before) : len(words) - len(after)].decode("ascii", "replace")
    return repr(words[:40])
