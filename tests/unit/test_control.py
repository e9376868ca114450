"""How a far end's process is asked: whatever becomes of a question, there is an answer."""

from __future__ import annotations

import json
import socket
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.drivers.base.errors import RigError
from rig.run.control import Control, ControlError, respond


def refuses() -> None:
    raise RigError("not now", "later")


def breaks() -> None:
    raise KeyError("x")


HANDLERS = {"right": lambda: [1, "a"], "refuses": refuses, "breaks": breaks, "no_json": lambda: IPv4Address(1)}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b'{"do": "right"}', {"value": [1, "a"]}),
        (b'{"do": "refuses"}', {"error": "not now", "advice": "later"}),
        (b'{"do": "breaks"}', {"error": "KeyError: 'x'"}),
        (b'{"do": "no_json"}', {"error": "TypeError: Object of type IPv4Address is not JSON serializable"}),
        (b'{"do": "nothing"}', {"error": "KeyError: 'nothing'"}),
    ],
)
def test_every_question_has_an_answer(line: bytes, answer: dict[str, object]) -> None:
    assert json.loads(respond(HANDLERS, line)) == answer


def test_one_that_has_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    with pytest.raises(ControlError, match=r"^exchange has ended$"):
        Control(path).ask("calls")
    (tmp_path / "exchange.log").write_text("Traceback\nPortLostError: sound card x: it gave no sound\n\n")
    with pytest.raises(ControlError, match="exchange has ended; the last that it logged: PortLostError: sound card x"):
        Control(path).ask("calls")
