"""Why tunnels and calls end, in numbers (RFC 2661 §4.4.2)."""

from __future__ import annotations

from enum import IntEnum


class StopResult(IntEnum):
    """Why a tunnel ends."""

    CLEARED = 1
    GENERAL_ERROR = 2
    EXISTS_ALREADY = 3
    NOT_AUTHORIZED = 4
    WRONG_VERSION = 5
    SHUTTING_DOWN = 6
    STATE_MACHINE = 7


class CallResult(IntEnum):
    """Why a call ends, or never was."""

    CARRIER_LOST = 1
    GENERAL_ERROR = 2
    ADMINISTRATIVE = 3
    NO_FACILITIES = 4
    NO_FACILITIES_EVER = 5
    INVALID_DESTINATION = 6
    NO_CARRIER = 7
    BUSY = 8
    NO_DIALTONE = 9
    NOT_IN_TIME = 10
    NO_FRAMING = 11
