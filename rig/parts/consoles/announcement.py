"""What a console says of itself to whoever is on its networks (§5.4.1): one datagram, UDP port 9900.

The paper gives no format. Ours: four bytes "RIGC", one of the version, an HMAC-SHA-256 (RFC 2104) of all that follows
by a secret that the consoles of one customer share, and JSON. Who has not the secret is a stranger.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import msgspec

from rig.drivers.base.typed_json import from_json

PORT, TLS_PORT = 9900, 9920
MAGIC, VERSION = b"RIGC", 1
LARGEST = 512
"""Bytes: one datagram on any network."""
DIGEST = 32
HEAD = len(MAGIC) + 1 + DIGEST
ID, FINGERPRINT = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{64}")
LONGEST_NAME = 64


class Announcement(msgspec.Struct, frozen=True):
    """``id``: 32 hexadecimal digits, the console's for good; ``boot``: when it was started, in milliseconds since 1970;
    ``number`` of the announcement since then; ``address``: its own, on the card that it is sent by; ``fingerprint``:
    SHA-256 of its certificate; ``port``: of its conversations; ``server``: whether it calls home for others;
    ``leaving``: its last."""

    id: str
    name: str
    boot: int
    number: int
    address: str
    fingerprint: str
    port: int = TLS_PORT
    server: bool = False
    leaving: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """What a later one has more of."""
        return self.boot, self.number


class RejectedError(ValueError):
    """``kind``: of what it is, for a count."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def pack(announcement: Announcement, secret: bytes) -> bytes:
    """The datagram. Raises ValueError for a name that is too long."""
    body = msgspec.json.encode(announcement)
    datagram = MAGIC + bytes([VERSION]) + hmac.digest(secret, body, hashlib.sha256) + body
    if len(datagram) > LARGEST or not 0 < len(announcement.name) <= LONGEST_NAME:
        raise ValueError(f"console {announcement.name!r}: a name has 1 to {LONGEST_NAME} characters")
    return datagram


def unpack(datagram: bytes, secret: bytes) -> Announcement:
    """What a datagram says. Raises RejectedError, whatever it is."""
    if datagram[: len(MAGIC)] != MAGIC:
        raise RejectedError("none of ours")
    if len(datagram) <= HEAD or len(datagram) > LARGEST:
        raise RejectedError("cut short" if len(datagram) <= HEAD else "too long")
    if datagram[len(MAGIC)] != VERSION:
        raise RejectedError("of another version")
    body = datagram[HEAD:]
    if not hmac.compare_digest(datagram[len(MAGIC) + 1 : HEAD], hmac.digest(secret, body, hashlib.sha256)):
        raise RejectedError("a stranger's, or altered")
    try:
        found = from_json(body, Announcement)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RejectedError("not understood") from None
    sound = ID.fullmatch(found.id) and FINGERPRINT.fullmatch(found.fingerprint) and 0 < found.port < 65536
    if not sound or not 0 < len(found.name) <= LONGEST_NAME or not found.name.isprintable():
        raise RejectedError("not understood")
    return found
