"""By which group a TLS handshake agrees on its keys, as it goes by: OpenSSL knows, and Python 3.11 does not ask it."""

from __future__ import annotations

from collections.abc import Iterator

HANDSHAKE, SERVER_HELLO, SERVER_KEY_EXCHANGE = 22, 2, 12
KEY_SHARE, NAMED_CURVE = 51, 3
GROUPS = {
    0x0017: "secp256r1", 0x0018: "secp384r1", 0x0019: "secp521r1", 0x001D: "x25519", 0x001E: "x448",
    0x0100: "ffdhe2048", 0x0101: "ffdhe3072", 0x0102: "ffdhe4096", 0x11EC: "X25519MLKEM768",
}  # fmt: skip
"""RFC 8446 §4.2.7, and what has come since."""


def group_in(records: bytes) -> str:
    """The group that a server's first records name: of TLS 1.3 in its hello (RFC 8446 §4.2.8), of 1.2 in its key
    exchange (RFC 8422 §5.4); "" where they name none, or none that is ephemeral."""
    for kind, body in _messages(records):
        if kind == SERVER_HELLO and (group := _key_share(body)) is not None:
            return GROUPS.get(group, f"group {group:#06x}")
        if kind == SERVER_KEY_EXCHANGE and len(body) > 3:
            if body[0] != NAMED_CURVE:
                return f"DH of {8 * int.from_bytes(body[:2], 'big')} bits"  # a prime of the server's own (RFC 5246)
            group = int.from_bytes(body[1:3], "big")
            return GROUPS.get(group, f"group {group:#06x}")
    return ""


def _messages(records: bytes) -> Iterator[tuple[int, bytes]]:
    """The handshake messages in clear, whole ones alone."""
    stream, at = b"", 0
    while at + 5 <= len(records) and records[at] == HANDSHAKE:
        length = int.from_bytes(records[at + 3 : at + 5], "big")
        stream += records[at + 5 : at + 5 + length]
        at += 5 + length
    at = 0
    while at + 4 <= len(stream):
        length = int.from_bytes(stream[at + 1 : at + 4], "big")
        if at + 4 + length > len(stream):
            return
        yield stream[at], stream[at + 4 : at + 4 + length]
        at += 4 + length


def _key_share(hello: bytes) -> int | None:
    at = 34  # version, random
    if len(hello) < at + 1:
        return None
    at += 1 + hello[at] + 3  # session id, suite, compression
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(hello)):
        kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
        if kind == KEY_SHARE:
            return int.from_bytes(hello[at + 4 : at + 6], "big")
        at += 4 + length
    return None
