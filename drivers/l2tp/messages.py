"""Control messages (RFC 2661 §3.1, §6): their header, their attributes, and what makes one malformed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from rig.drivers.l2tp.avp import Attribute, Avp, AvpError, decode, encode
from rig.drivers.l2tp.header import Error, MalformedError

FRAMING_SYNC, FRAMING_ASYNC = 1, 2
BEARER_DIGITAL, BEARER_ANALOG = 1, 2
PROTOCOL_VERSION = 0x0100


class Kind(IntEnum):
    """Message types (§3.2)."""

    SCCRQ = 1
    SCCRP = 2
    SCCCN = 3
    STOPCCN = 4
    HELLO = 6
    OCRQ = 7
    OCRP = 8
    OCCN = 9
    ICRQ = 10
    ICRP = 11
    ICCN = 12
    CDN = 14
    WEN = 15
    SLI = 16


OF_A_TUNNEL = frozenset({Kind.SCCRQ, Kind.SCCRP, Kind.SCCCN, Kind.STOPCCN, Kind.HELLO})
"""The others are of a session in it."""

A = Attribute
NAMES: dict[int, str] = {int(kind): kind.name.replace("STOPCCN", "StopCCN") for kind in Kind}
ACKNOWLEDGEMENT = "ZLB"
"""What the RFC calls a message of no body, which does nothing but acknowledge (§5.8)."""
EVERY_NAME = (*NAMES.values(), ACKNOWLEDGEMENT)

REQUIRED: Mapping[Kind, tuple[Attribute, ...]] = {
    Kind.SCCRQ: (A.PROTOCOL_VERSION, A.HOST_NAME, A.FRAMING_CAPABILITIES, A.ASSIGNED_TUNNEL_ID),
    Kind.SCCRP: (A.PROTOCOL_VERSION, A.HOST_NAME, A.FRAMING_CAPABILITIES, A.ASSIGNED_TUNNEL_ID),
    Kind.SCCCN: (),
    Kind.STOPCCN: (A.ASSIGNED_TUNNEL_ID, A.RESULT_CODE),
    Kind.HELLO: (),
    Kind.OCRQ: (
        A.ASSIGNED_SESSION_ID, A.CALL_SERIAL_NUMBER, A.MINIMUM_BPS, A.MAXIMUM_BPS, A.BEARER_TYPE, A.FRAMING_TYPE,
        A.CALLED_NUMBER,
    ),
    Kind.OCRP: (A.ASSIGNED_SESSION_ID,),
    Kind.OCCN: (A.TX_CONNECT_SPEED, A.FRAMING_TYPE),
    Kind.ICRQ: (A.ASSIGNED_SESSION_ID, A.CALL_SERIAL_NUMBER),
    Kind.ICRP: (A.ASSIGNED_SESSION_ID,),
    Kind.ICCN: (A.TX_CONNECT_SPEED, A.FRAMING_TYPE),
    Kind.CDN: (A.RESULT_CODE, A.ASSIGNED_SESSION_ID),
    Kind.WEN: (A.CALL_ERRORS,),
    Kind.SLI: (A.ACCM,),
}  # fmt: skip
"""What each message cannot be without (§6)."""

_U16 = (
    A.PROTOCOL_VERSION,
    A.FIRMWARE_REVISION,
    A.ASSIGNED_TUNNEL_ID,
    A.RECEIVE_WINDOW_SIZE,
    A.ASSIGNED_SESSION_ID,
)
_U32 = (
    A.FRAMING_CAPABILITIES, A.BEARER_CAPABILITIES, A.CALL_SERIAL_NUMBER, A.MINIMUM_BPS, A.MAXIMUM_BPS, A.BEARER_TYPE,
    A.FRAMING_TYPE, A.TX_CONNECT_SPEED, A.RX_CONNECT_SPEED, A.PHYSICAL_CHANNEL_ID,
)  # fmt: skip
SIZES = dict.fromkeys(_U16, 2) | dict.fromkeys(_U32, 4)
"""Attributes that are one number, and of how many bytes; the others are kept as the bytes that they are."""
EXACTLY = {
    A.CHALLENGE_RESPONSE: 16,
    A.TIE_BREAKER: 8,
    A.CALL_ERRORS: 26,
    A.ACCM: 10,
    A.SEQUENCING_REQUIRED: 0,
}
NOT_MANDATORY = frozenset(
    {
        A.TIE_BREAKER,
        A.FIRMWARE_REVISION,
        A.VENDOR_NAME,
        A.PHYSICAL_CHANNEL_ID,
        A.PRIVATE_GROUP_ID,
        A.RX_CONNECT_SPEED,
    }
)
"""Those that are sent with the M bit clear (§4.4)."""


Values = dict[Attribute, int | bytes]


@dataclass(frozen=True)
class Message:
    """A control message: its kind, and the attributes that are known, numbers as numbers."""

    kind: Kind
    values: Mapping[Attribute, int | bytes] = field(default_factory=dict)

    def number(self, attribute: Attribute, otherwise: int = 0) -> int:
        value = self.values.get(attribute, otherwise)
        assert isinstance(value, int)
        return value

    def octets(self, attribute: Attribute) -> bytes:
        value = self.values.get(attribute, b"")
        assert isinstance(value, bytes)
        return value


def encode_message(message: Message) -> bytes:
    """A message's body."""
    found = [encode(Avp(A.MESSAGE_TYPE, struct.pack("!H", message.kind)))]
    for attribute, value in message.values.items():
        octets = value.to_bytes(SIZES[attribute], "big") if isinstance(value, int) else value
        found.append(encode(Avp(attribute, octets, attribute not in NOT_MANDATORY)))
    return b"".join(found)


def name_of(body: bytes) -> str | None:
    """What a message of that body is called; None for what is none. Its type cannot be hidden (§4.4.1)."""
    if not body:
        return ACKNOWLEDGEMENT
    if len(body) < 8 or body[2:6] != bytes(4):
        return None
    number = int.from_bytes(body[6:8], "big")
    return NAMES.get(number, f"message type {number}")


def decode_message(body: bytes, secret: bytes = b"") -> Message | None:
    """The message that a body is. None for one of a kind that nobody knows and nobody need (its M bit is clear).

    Raises MalformedError, which says what its sender is to be told.
    """
    pairs = decode(body, secret)
    try:
        first = next(pairs, None)
    except AvpError as error:
        raise MalformedError(str(error), Error.WRONG_LENGTH) from error
    if (
        first is None
        or not first.readable
        or (first.vendor, first.attribute) != (0, A.MESSAGE_TYPE)
        or len(first.value) != 2
    ):
        raise MalformedError("its first AVP is no Message Type", Error.OUT_OF_RANGE)
    number = int.from_bytes(first.value, "big")
    try:
        kind = Kind(number)
    except ValueError:
        if not first.mandatory:
            return None
        raise MalformedError(f"message type {number} is not known", Error.UNKNOWN_MANDATORY) from None
    values: Values = {}
    try:
        for pair in pairs:
            _take(pair, values, kind)
    except AvpError as error:
        raise MalformedError(f"{kind.name}: {error}", Error.WRONG_LENGTH, kind) from error
    missing = [attribute.name for attribute in REQUIRED[kind] if attribute not in values]
    if missing:
        raise MalformedError(f"{kind.name} without {', '.join(missing)}", Error.OUT_OF_RANGE, kind)
    return Message(kind, values)


def _take(pair: Avp, values: Values, kind: Kind) -> None:
    """One pair into the values. Unknown ones are passed over where their M bit is clear (§4.2)."""
    try:
        attribute = Attribute(pair.attribute) if pair.vendor == 0 and pair.readable else None
    except ValueError:
        attribute = None
    if attribute is None:
        if pair.mandatory:
            what = f"attribute {pair.attribute} of vendor {pair.vendor}"
            why = "not known" if pair.readable else "unreadable"
            raise MalformedError(f"{kind.name}: {what} is mandatory and {why}", Error.UNKNOWN_MANDATORY, kind)
        return
    wanted = SIZES.get(attribute, EXACTLY.get(attribute))
    if wanted is not None and len(pair.value) != wanted:
        said = f"{kind.name}: {attribute.name} is {len(pair.value)} bytes long, not {wanted}"
        raise MalformedError(said, Error.WRONG_LENGTH, kind)
    if attribute is A.RESULT_CODE and len(pair.value) < 2:
        raise MalformedError(f"{kind.name}: a result code of {len(pair.value)} bytes", Error.WRONG_LENGTH, kind)
    values[attribute] = int.from_bytes(pair.value, "big") if attribute in SIZES else pair.value
