"""A PPP peer that does what a test says: enough of LCP, PAP and IPCP to be one, on a pty's master (RFC 1662)."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterable
from ipaddress import IPv4Address

LCP, PAP, CHAP, IPCP = 0xC021, 0xC023, 0xC223, 0x8021
REQUEST, ACK, NAK, REJECT = 1, 2, 3, 4
FLAG, ESCAPE = 0x7E, 0x7D
REPEAT_SECONDS = 1.0
AUTH_PAP = b"\x03\x04\xc0\x23"
ADDRESS, FIRST_NAME_SERVER, SECOND_NAME_SERVER = 3, 129, 131


def fcs(data: bytes) -> int:
    """The frame check sequence (RFC 1662 appendix C.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value ^ 0xFFFF


def framed(protocol: int, code: int, number: int, options: bytes) -> bytes:
    body = (
        b"\xff\x03"
        + protocol.to_bytes(2, "big")
        + bytes([code, number])
        + (4 + len(options)).to_bytes(2, "big")
        + options
    )
    body += fcs(body).to_bytes(2, "little")
    escaped = b"".join(bytes([ESCAPE, b ^ 0x20]) if b < 0x20 or b in (FLAG, ESCAPE) else bytes([b]) for b in body)
    return bytes([FLAG]) + escaped + bytes([FLAG])


def packets(frames: bytes) -> Iterable[tuple[int, int, int, bytes]]:
    """Protocol, code, number and options of each control packet that is whole."""
    for frame in frames.split(bytes([FLAG])):
        plain = bytearray()
        escaped = False
        for byte in frame:
            if byte == ESCAPE:
                escaped = True
            else:
                plain.append(byte ^ 0x20 if escaped else byte)
                escaped = False
        body = plain.removeprefix(b"\xff\x03")[:-2]
        if len(body) >= 6:
            yield (
                int.from_bytes(body[:2], "big"),
                body[2],
                body[3],
                bytes(body[6 : 2 + int.from_bytes(body[4:6], "big")]),
            )


class ScriptedPeer:
    """Answers on ``master`` until :meth:`stop`. ``asks_pap``: it wants PAP, and says nothing to it; otherwise nobody
    has to say who he is. ``gives``: the address for its caller. It has none of its own to give. ``deaf``: so many of
    LCP's first packets it does not hear, as a gateway whose PPP is late. ``calls``: it speaks first. ``heard``: the
    protocols in which it was spoken to."""

    def __init__(self, master: int, *, asks_pap: bool, gives: IPv4Address, deaf: int = 0, calls: bool = False) -> None:
        self._deaf = deaf
        self.heard: set[int] = set()
        self._master = master
        self._asks_pap = asks_pap
        self._gives = gives
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._calls = calls
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        kept, again = b"", 0.0
        while not self._stop.is_set():
            if self._calls and not self.heard and time.monotonic() >= again:  # who answers may not listen yet
                self._send(LCP, REQUEST, 1)
                again = time.monotonic() + REPEAT_SECONDS
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            try:
                kept += os.read(self._master, 4096)
            except OSError:
                return
            whole, _, kept = kept.rpartition(bytes([FLAG]))
            for packet in packets(whole):
                self._take(*packet)

    def _send(self, protocol: int, code: int, number: int, options: bytes = b"") -> None:
        os.write(self._master, framed(protocol, code, number, options))

    def _take(self, protocol: int, code: int, number: int, options: bytes) -> None:
        self.heard.add(protocol)
        if code != REQUEST or protocol in (CHAP, PAP):
            return
        if self._deaf:
            self._deaf -= 1
        elif protocol == LCP:
            self._send(LCP, ACK, number, options)
            self._send(LCP, REQUEST, 1, AUTH_PAP if self._asks_pap else b"")
        elif protocol == IPCP:
            self._answer_ipcp(number, options)
        else:
            self._send(LCP, 8, number, protocol.to_bytes(2, "big"))  # Protocol-Reject

    def _answer_ipcp(self, number: int, options: bytes) -> None:
        wanted = {}
        rest = options
        while rest:
            wanted[rest[0]] = rest[2 : rest[1]]
            rest = rest[rest[1] :]
        others = b"".join(bytes([kind, len(value) + 2]) + value for kind, value in wanted.items() if kind != ADDRESS)
        if others:
            self._send(IPCP, REJECT, number, others)
        elif wanted.get(ADDRESS) != self._gives.packed:
            self._send(IPCP, NAK, number, bytes([ADDRESS, 6]) + self._gives.packed)
        else:
            self._send(IPCP, ACK, number, options)
            self._send(IPCP, REQUEST, 1)
