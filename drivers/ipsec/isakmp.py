"""What can be read of IKE on its way (RFC 2408 §3.1, RFC 7296 §3.1): the header of each message, and the payloads of
one that is not encrypted yet. ESP's header (RFC 4303 §2), and how the two share UDP 4500 (RFC 3948 §2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PORT, NAT_PORT = 500, 4500
UDP, ESP = 17, 50
HEADER = struct.Struct("!8s8sBBBBII")
ENCRYPTED_1, ENCRYPTED_PAYLOAD = 0x01, 46
RESPONSE = 0x20
EXCHANGES = {
    2: "Main Mode", 4: "Aggressive Mode", 5: "Informational", 32: "Quick Mode", 33: "New Group",
    34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL",
}  # fmt: skip
SINCE_2 = 34
EVERY_NAME = tuple(
    f"{name}{which}"
    for number, name in EXCHANGES.items()
    for which in ((" request", " response") if number >= SINCE_2 else ("",))
)
PAYLOADS = {
    1: "SA", 4: "KE", 5: "ID", 6: "CERT", 7: "CR", 8: "HASH", 9: "SIG", 10: "Nonce", 11: "N", 12: "D", 13: "VID",
    20: "NAT-D", 21: "NAT-OA", 33: "SA", 34: "KE", 40: "Nonce", 41: "N", 43: "VID",
}  # fmt: skip
NOTIFICATIONS = {
    1: "INVALID-PAYLOAD-TYPE", 4: "INVALID-COOKIE", 5: "INVALID-MAJOR-VERSION", 7: "INVALID-EXCHANGE-TYPE",
    14: "NO-PROPOSAL-CHOSEN", 16: "PAYLOAD-MALFORMED", 18: "INVALID-ID-INFORMATION", 24: "AUTHENTICATION-FAILED",
}  # fmt: skip
NOTIFY = (11, 41)


@dataclass(frozen=True)
class IkeMessage:
    """``exchange``: by its name in the RFCs; ``number``: its message id, 0 in phase 1; ``payloads``: of one in clear;
    ``version``: the major one; ``response``: whether it says that it is one, which those of version 1 do not."""

    exchange: str
    number: int
    version: int
    encrypted: bool
    payloads: tuple[str, ...]
    response: bool = False

    @property
    def name(self) -> str:
        """What a message is called: its exchange, and since version 2 whether it asks or answers."""
        if self.version < 2:
            return self.exchange
        return f"{self.exchange} {'response' if self.response else 'request'}"


@dataclass(frozen=True)
class EspHead:
    """``spi``: which security association; ``number``: its sequence number."""

    spi: int
    number: int


def in_ip(packet: bytes) -> IkeMessage | EspHead | None:
    """What an IPv4 packet carries of a VPN's; None where that is nothing."""
    head = 4 * (packet[0] & 15) if packet else 0
    if len(packet) < head + 8 or packet[0] >> 4 != 4:
        return None
    body = packet[head:]
    if packet[9] == ESP:
        return esp(body)
    if packet[9] != UDP:
        return None
    return in_udp(body[8:], (int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")))


def in_udp(payload: bytes, ports: tuple[int, int]) -> IkeMessage | EspHead | None:
    """What a datagram between two ports carries; None where that is neither, as of one that keeps a translated address
    alive."""
    if NAT_PORT in ports:
        return ike(payload[4:]) if payload[:4] == bytes(4) else esp(payload)
    return ike(payload) if PORT in ports else None


def esp(packet: bytes) -> EspHead | None:
    """The head of an ESP packet."""
    return EspHead(*struct.unpack_from("!II", packet)) if len(packet) >= 8 else None


def ike(message: bytes) -> IkeMessage | None:
    """An IKE message; None for what is too short to be one."""
    if len(message) < HEADER.size:
        return None
    _, _, first, version, exchange, flags, number, _ = HEADER.unpack_from(message)
    encrypted = bool(flags & ENCRYPTED_1 and version >> 4 == 1) or first == ENCRYPTED_PAYLOAD
    payloads = () if encrypted else tuple(_payloads(message, first))
    name = EXCHANGES.get(exchange, f"exchange {exchange}")
    return IkeMessage(name, number, version >> 4, encrypted, payloads, version >> 4 > 1 and bool(flags & RESPONSE))


def _payloads(message: bytes, kind: int) -> Iterator[str]:
    """Their names, in the message's order; what is cut short ends there."""
    at = HEADER.size
    while kind and at + 4 <= len(message):
        following, _, length = struct.unpack_from("!BBH", message, at)
        name = PAYLOADS.get(kind, f"payload {kind}")
        if kind in NOTIFY and (notified := _notified(message[at : at + length])) is not None:
            name = NOTIFICATIONS.get(notified, f"notification {notified}")
        yield name
        if length < 4:
            return
        kind, at = following, at + length


def _notified(payload: bytes) -> int | None:
    """What a Notification is of (RFC 2408 §3.14; RFC 7296 §3.10 has no DOI, and so four bytes less before it)."""
    at = 10 if len(payload) >= 12 and payload[4:8] == b"\0\0\0\1" else 6
    return int.from_bytes(payload[at : at + 2], "big") if len(payload) >= at + 2 else None
