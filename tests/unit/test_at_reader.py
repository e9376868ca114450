"""Answers of a modem as events: verbose, numeric, echo, text."""

from __future__ import annotations

import pytest

from rig.drivers.modem.at import Echo, Reader, Text
from rig.drivers.modem.result_codes import Code, Result


@pytest.mark.parametrize(
    ("line", "code", "rate"),
    [
        ("OK", Code.OK, None),
        ("CONNECT", Code.CONNECT, None),
        ("CONNECT 33600", Code.CONNECT, 33600),
        ("CONNECT 28800/ARQ/V34/LAPM/V42BIS", Code.CONNECT, 28800),
        ("CONNECT/ARQ", Code.CONNECT, None),
        ("CONNECT 0300", Code.CONNECT, 300),
        ("NO DIALTONE", Code.NO_DIALTONE, None),
        ("NO DIAL TONE", Code.NO_DIALTONE, None),
        ("NO ANSWER", Code.NO_ANSWER, None),
        ("BUSY", Code.BUSY, None),
        ("+CME ERROR: 10", Code.ERROR, None),
    ],
)
def test_verbose_result_codes(line: str, code: Code, rate: int | None) -> None:
    assert Reader().feed(f"\r\n{line}\r\n".encode()) == [Result(code, line, rate)]


@pytest.mark.parametrize("line", ["OKAY", "NO CARRIER?", "CONNECTING", "XBUSY", "RING RING", "no carrier"])
def test_what_only_looks_like_a_result_code_is_text(line: str) -> None:
    """Catches a partial match: "NO CARRIER" within a line is no loss of carrier."""
    assert Reader().feed(f"\r\n{line}\r\n".encode()) == [Text(line)]


def test_digits_and_cr_alone_are_a_numeric_code_once_nothing_follows() -> None:
    reader = Reader()
    assert reader.feed(b"0\r") == []
    assert reader.pause is not None
    assert reader.idle() == [Result(Code.OK, "0")]


def test_digits_and_cr_lf_are_text() -> None:
    """Catches ATS7? answered 050 being taken for a result code."""
    assert Reader().feed(b"\r\n050\r\n\r\nOK\r\n") == [Text("050"), Result(Code.OK, "OK")]


def test_numeric_connect_has_its_rate() -> None:
    reader = Reader()
    reader.feed(b"84\r")
    assert reader.idle() == [Result(Code.CONNECT, "84", 33600)]


def test_echo_is_told_from_an_answer_once() -> None:
    reader = Reader()
    reader.expect_echo("ATI3")
    assert reader.feed(b"ATI3\r\r\nATI3\r\n") == [Echo("ATI3"), Text("ATI3")]
