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

from rig.drivers.base.interruptions import waiting
from rig.parts.hosts.named_services import greeting

ANSWER_SECONDS = 3.0
"""For an answer that should come over this line, behind what was sent before it."""


@dataclass(frozen=True)
class Question:
    """Whose service is at a port?"""

    protocol: Literal["TCP", "UDP"]
    address: IPv4Address
    port: int


@dataclass(frozen=True)
class Said:
    """What came of a question. ``name``: of a service of the rig's own, "" of any other; ``text``: all of it, for a
    person; ``answered``: something is there, be it a TCP service that waits for its client to speak first."""

    text: str
    name: str = ""
    answered: bool = False


SILENCE = Said("no answer")


def ask_all(questions: Sequence[Question], seconds: float = ANSWER_SECONDS) -> dict[Question, Said]:
    """What each service says, or what happened instead; all are asked side by side, for so many seconds.

    In the namespace that the calling thread is in.
    """
    said = dict.fromkeys(questions, SILENCE)
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
                said[question] = Said(str(error.strerror).lower())
                continue
            selector.register(asker, selectors.EVENT_READ, question)
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            with waiting():
                ready = selector.select(left)
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                said[key.data] = _heard(key.fileobj)
                selector.unregister(key.fileobj)
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            if key.data.protocol == "TCP" and _is_open(key.fileobj):
                said[key.data] = Said("open, and says nothing", answered=True)
    return said


def _opened(question: Question) -> socket.socket:
    kind = socket.SOCK_STREAM if question.protocol == "TCP" else socket.SOCK_DGRAM
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    return made


def _is_open(asker: socket.socket) -> bool:
    try:
        asker.getpeername()
    except OSError:
        return False
    return True


def _heard(asker: socket.socket) -> Said:
    try:
        words = asker.recv(256)
    except OSError as error:
        return Said(str(error.strerror).lower())
    before, _, after = greeting("\0").partition(b"\0")
    if words.startswith(before) and words.endswith(after):
        name = words[len(before) : len(words) - len(after)].decode("ascii", "replace")
        return Said(name, name, answered=True)
    return Said(repr(words[:40]) if words else "open, and closed at once", answered=True)
