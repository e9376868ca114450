"""A record of a serial line: written as pppd writes it, and read back as frames."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drivers.ppp.line_record import Chunk, Deframer, RecordWriter, frame_check, frames, read_record

# A real LCP Configure-Request as pppd 2.4.9 sent it, every control character escaped, after a modem's CONNECT.
ON_THE_LINE = bytes.fromhex(
    "0d0a434f4e4e4543540d0a7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d261bfc71327d277d227d287d22"
)


def framed(frame: bytes) -> bytes:
    """As RFC 1662 frames it, everything below 0x20 escaped."""
    check = frame_check(frame) ^ 0xFFFF
    whole = frame + check.to_bytes(2, "little")
    escaped = b"".join(
        bytes([0x7D, byte ^ 0x20]) if byte < 0x20 or byte in (0x7D, 0x7E) else bytes([byte]) for byte in whole
    )
    return b"\x7e" + escaped + b"\x7e"


def test_the_check_sequence_is_the_rfcs() -> None:
    """CRC-16/X-25 of the usual test string."""
    assert frame_check(b"123456789") ^ 0xFFFF == 0x906E


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


@given(some.lists(some.binary(min_size=2, max_size=80), max_size=8), some.integers(1, 7))
def test_frames_come_whole_however_they_are_cut(sent: list[bytes], size: int) -> None:
    line = ON_THE_LINE[:11] + b"".join(framed(frame) for frame in sent)
    deframer = Deframer()
    found = [frame for start in range(0, len(line), size) for frame in deframer.feed(line[start : start + size])]
    assert found == sent


@given(some.binary(max_size=300))
def test_any_bytes_are_a_record_or_none_and_never_an_error(record: bytes) -> None:
    list(frames(record))


def test_a_damaged_frame_is_counted_and_not_taken() -> None:
    deframer = Deframer()
    damaged = bytearray(framed(b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
    damaged[8] ^= 0x40
    assert deframer.feed(bytes(damaged)) == []
    assert deframer.damaged == 1


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
