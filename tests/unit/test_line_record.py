"""A record of a serial line: written as pppd writes it, and read back as frames."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rig.drivers.ppp.line_record import Chunk, RecordWriter, frames, read_record
from rig.drivers.ppp.peer.hdlc import framed

# A real LCP Configure-Request as pppd 2.4.9 sent it, every control character escaped, after a modem's CONNECT.
ON_THE_LINE = bytes.fromhex(
    "0d0a434f4e4e4543540d0a7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d261bfc71327d277d227d287d22"
)


@given(some.lists(some.tuples(some.booleans(), some.binary(min_size=1, max_size=200), some.floats(0, 1000))))
def test_what_was_written_is_read(written: list[tuple[bool, bytes, float]]) -> None:
    file, now = io.BytesIO(), 1_000_000.0
    writer = RecordWriter(file, now)
    expected = []
    for sent, data, step in written:
        now += step
        writer.write(sent, data, now)
        expected.append(Chunk(int(now * 10) / 10, sent, data))
    read = list(read_record(file.getvalue()))
    assert [(chunk.sent, chunk.data) for chunk in read] == [(chunk.sent, chunk.data) for chunk in expected]
    assert all(abs(one.time - other.time) < 0.11 for one, other in zip(read, expected, strict=True))


def test_of_a_record_the_frames_are_found_and_what_is_damaged_or_a_modems_answer_is_not() -> None:
    file = io.BytesIO()
    writer = RecordWriter(file, 1_000_000.0)
    whole = framed(b"\xff\x03\xc0\x21\x01\x01\x00\x04")
    writer.write(False, ON_THE_LINE[:11] + whole[:5], 1_000_000.5)
    writer.write(True, whole[:8] + b"?" + whole[9:], 1_000_000.6)
    writer.write(False, whole[5:], 1_000_000.7)
    [found] = frames(file.getvalue())
    assert (found.sent, found.protocol, found.payload) == (False, 0xC021, b"\x01\x01\x00\x04")


@given(some.binary(max_size=300))
def test_any_bytes_are_a_record_or_none_and_never_an_error(record: bytes) -> None:
    list(frames(record))


@pytest.mark.skipif(not Path("/usr/sbin/pppdump").exists(), reason="pppdump is not here: apt-get install ppp")
def test_pppds_own_tool_reads_what_we_write(tmp_path: Path) -> None:
    with (tmp_path / "record").open("wb") as file:
        writer = RecordWriter(file, 1_000_000.0)
        writer.write(True, framed(b"\xff\x03\xc0\x21\x01\x01\x00\x04"), 1_000_000.5)
    told = subprocess.run(
        ["/usr/sbin/pppdump", "-p", str(tmp_path / "record")], capture_output=True, text=True, check=True, timeout=20
    )
    assert "sent" in told.stdout
    assert "ff 03 c0 21 01 01 00 04" in told.stdout
