"""Attribute value pairs (RFC 2661 §4.1), hidden ones too (§4.3)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MANDATORY, HIDDEN = 0x8000, 0x4000
RESERVED, LENGTH = 0x3C00, 0x03FF
HEAD = 6


class Attribute(IntEnum):
    """Attribute types of vendor 0 (RFC 2661 §4.4)."""

    MESSAGE_TYPE = 0
    RESULT_CODE = 1
    PROTOCOL_VERSION = 2
    FRAMING_CAPABILITIES = 3
    BEARER_CAPABILITIES = 4
    TIE_BREAKER = 5
    FIRMWARE_REVISION = 6
    HOST_NAME = 7
    VENDOR_NAME = 8
    ASSIGNED_TUNNEL_ID = 9
    RECEIVE_WINDOW_SIZE = 10
    CHALLENGE = 11
    Q931_CAUSE_CODE = 12
    CHALLENGE_RESPONSE = 13
    ASSIGNED_SESSION_ID = 14
    CALL_SERIAL_NUMBER = 15
    MINIMUM_BPS = 16
    MAXIMUM_BPS = 17
    BEARER_TYPE = 18
    FRAMING_TYPE = 19
    CALLED_NUMBER = 21
    CALLING_NUMBER = 22
    SUB_ADDRESS = 23
    TX_CONNECT_SPEED = 24
    PHYSICAL_CHANNEL_ID = 25
    INITIAL_RECEIVED_LCP_CONFREQ = 26
    LAST_SENT_LCP_CONFREQ = 27
    LAST_RECEIVED_LCP_CONFREQ = 28
    PROXY_AUTHEN_TYPE = 29
    PROXY_AUTHEN_NAME = 30
    PROXY_AUTHEN_CHALLENGE = 31
    PROXY_AUTHEN_ID = 32
    PROXY_AUTHEN_RESPONSE = 33
    CALL_ERRORS = 34
    ACCM = 35
    RANDOM_VECTOR = 36
    PRIVATE_GROUP_ID = 37
    RX_CONNECT_SPEED = 38
    SEQUENCING_REQUIRED = 39


class AvpError(ValueError):
    """What was received is no sequence of AVPs."""


@dataclass(frozen=True)
class Avp:
    """One pair. ``mandatory``: who does not know it must end what it belongs to. ``readable`` False: it is as one that
    nobody knows, whatever its attribute: reserved bits are set (§4.1), or it is hidden and we have no secret."""

    attribute: int
    value: bytes
    mandatory: bool = True
    vendor: int = 0
    readable: bool = True


def encode(avp: Avp) -> bytes:
    """A pair as it is sent, in the clear. Raises AvpError when the value is too long."""
    return _packed(avp, avp.value, 0)


def encode_hidden(avp: Avp, secret: bytes, random_vector: bytes, padding: int = 0) -> bytes:
    """A pair whose value only who shares the secret can read; a Random Vector AVP must stand before it (§4.3)."""
    plain = struct.pack("!H", len(avp.value)) + avp.value + bytes(padding)
    return _packed(avp, _mask(plain, avp.attribute, secret, random_vector, hiding=True), HIDDEN)


def _packed(avp: Avp, value: bytes, flags: int) -> bytes:
    length = HEAD + len(value)
    if length > LENGTH:
        raise AvpError(f"a value of {len(value)} bytes does not fit into an AVP, which takes {LENGTH - HEAD}")
    flags |= MANDATORY if avp.mandatory else 0
    return struct.pack("!HHH", flags | length, avp.vendor, avp.attribute) + value


def decode(data: bytes, secret: bytes = b"") -> Iterator[Avp]:
    """The pairs of a message, hidden ones in the clear where there is a ``secret``. Raises AvpError at the first that
    is none."""
    at, vector = 0, b""
    while at < len(data):
        if len(data) - at < HEAD:
            raise AvpError(f"{len(data) - at} bytes are left where an AVP has at least {HEAD}")
        flags, vendor, attribute = struct.unpack_from("!HHH", data, at)
        length = flags & LENGTH
        if not HEAD <= length <= len(data) - at:
            raise AvpError(f"attribute {attribute} says that it is {length} bytes long, of {len(data) - at}")
        value = data[at + HEAD : at + length]
        readable = not flags & RESERVED and not (flags & HIDDEN and not secret)
        if flags & HIDDEN and readable:
            value = _reveal(value, attribute, secret, vector)
        if vendor == 0 and attribute == Attribute.RANDOM_VECTOR and readable:
            vector = value
        yield Avp(attribute, value, bool(flags & MANDATORY), vendor, readable)
        at += length


def _reveal(value: bytes, attribute: int, secret: bytes, vector: bytes) -> bytes:
    if not vector:
        raise AvpError(f"attribute {attribute} is hidden, and there is no random vector")
    plain = _mask(value, attribute, secret, vector, hiding=False)
    length = int.from_bytes(plain[:2], "big")
    if len(plain) < 2 or length > len(plain) - 2:
        raise AvpError(f"attribute {attribute} is hidden with another secret than ours")
    return plain[2 : 2 + length]


def _mask(data: bytes, attribute: int, secret: bytes, vector: bytes, *, hiding: bool) -> bytes:
    """MD5 over what was sent before, 16 bytes at a time (§4.3)."""
    before, done = struct.pack("!H", attribute) + secret + vector, b""
    for at in range(0, len(data), 16):
        piece = data[at : at + 16]
        pad = hashlib.md5(before, usedforsecurity=False).digest()
        result = bytes(byte ^ mask for byte, mask in zip(piece, pad, strict=False))
        done += result
        before = secret + (result if hiding else piece)
    return done
