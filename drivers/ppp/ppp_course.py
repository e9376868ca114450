"""How a session goes, by what pppd says on the way, and what its end means to whoever wanted it. Sans-I/O."""

from __future__ import annotations

import re

from rig.drivers.base.errors import AuthenticationError, CannotRunError, CarrierLostError, PppError
from rig.drivers.ppp.ppp_log import (
    Addresses,
    Authenticated,
    Ended,
    Event,
    Interface,
    Phase,
    Reached,
    Refused,
    Unanswered,
)

# pppd(8), EXIT STATUS, and what each means to the caller of the near end.
EXIT_STATUS: dict[int, tuple[type[PppError | CannotRunError], str]] = {
    1: (PppError, "a fatal error in pppd"),
    2: (PppError, "pppd refused its options"),
    3: (CannotRunError, "pppd is not set-uid root and was not started by root"),
    4: (CannotRunError, "the kernel does not support PPP"),
    5: (PppError, "pppd was told to stop"),
    6: (PppError, "the serial port could not be locked"),
    7: (PppError, "the serial port could not be opened"),
    8: (PppError, "the connect script failed"),
    9: (PppError, "the pty command could not be run"),
    10: (PppError, "the PPP negotiation failed"),
    11: (AuthenticationError, "the peer failed to authenticate itself"),
    12: (CarrierLostError, "the link was idle for too long"),
    13: (CarrierLostError, "the connect time ran out"),
    14: (PppError, "callback was negotiated"),
    15: (CarrierLostError, "the peer no longer answers"),
    16: (CarrierLostError, "the modem hung up"),
    17: (PppError, "the serial line is looped back"),
    18: (PppError, "the init script failed"),
    19: (AuthenticationError, "the peer refused our account or password"),
}
ADVICE: dict[type[PppError | CannotRunError], str] = {
    PppError: "is it PPP that answers there? -v shows every packet that went either way",
    AuthenticationError: "compare account, user ID and secret with what the gateway expects",
    CarrierLostError: "the line dropped: listen to it, lower the modem's speed, or dial again",
    CannotRunError: "modprobe ppp_async, as root; or run in the lab: --lab uml",
}

NO_ANSWER_TO_PAP = "no answer to PAP"

HANGUP = re.compile(r"hangup|SIGHUP|echo-requests|disconnected|lack of activity|time expired", re.IGNORECASE)
"""Endings that mean that the line, not the negotiation, is at fault."""


class Course:
    """One session's. ``interface``, ``auth`` and ``phase`` as far as they are known; ``up``: addresses are agreed."""

    def __init__(self) -> None:
        self.interface = ""
        self.auth = "none"
        self.phase = Phase.LCP
        self.up = False
        self.ending = ""
        self._refusal: str | None = None
        self._unanswered = False

    def take(self, event: Event) -> None:
        """What pppd has just said."""
        match event:
            case Interface(name):
                self.interface = name
            case Authenticated(protocol):
                self.auth = protocol
            case Addresses():
                self.up = True
            case Reached(phase):
                self.phase = phase
            case Unanswered():
                self._unanswered = True
            case Ended(reason):
                self.ending = self.ending or reason
            case Refused(reason):
                self._refusal = self._refusal if self._refusal is not None else reason

    @property
    def waits_for_pap(self) -> bool:
        """Whether PAP was begun, and nothing has come of it."""
        return self.phase is Phase.PAP and self.auth == "none"

    def failure(self, code: int | None, last_line: str) -> PppError | CannotRunError:
        """Why the session ended. ``code``: pppd's own exit code.

        What was said on the way counts before that, which is that of our own stop when the end was seen coming.
        """
        kind, said = EXIT_STATUS.get(code if code is not None else -1, (PppError, f"pppd ended with {code}"))
        details = self.ending
        if self._refusal is not None:
            kind, said, details = AuthenticationError, "authentication was refused", self._refusal
        elif self._unanswered:
            kind, said, details = PppError, NO_ANSWER_TO_PAP, ""
        elif self.ending:
            kind = CarrierLostError if self.up or HANGUP.search(self.ending) else PppError
            said = "the line dropped" if kind is CarrierLostError else "the PPP negotiation failed"
        elif code not in EXIT_STATUS:
            details = last_line
        return kind(f"{said}: {details}" if details else said, ADVICE[kind])
