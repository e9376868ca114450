"""What can go wrong, in one tree; each class maps to the exit status that a run ends with.

The statuses are the command line's contract (see the table in README.md): 1 a check failed, 2 usage,
3 no modem, 4 this machine cannot, 10-14 the call, 20-22 the PPP session, 24 nothing was checked, 25 what was sent was
not received, 70 a fault of the rig's own, 130 interrupted.
"""

from __future__ import annotations

import traceback
from typing import ClassVar


class RigError(Exception):
    """Something went wrong that a person can act on.

    The message says what happened; ``advice``, where given, what to try.
    """

    exit_status: ClassVar[int] = 1
    outcome: ClassVar[str] = "FAILED"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.advice = advice

    def __str__(self) -> str:
        return str(self.args[0])


class UsageError(RigError):
    """Wrong arguments, or a bench file that does not say what it must."""

    exit_status = 2
    outcome = "USAGE"


class ConfigError(UsageError):
    """A bench, fence or modem file does not say what it must."""


class NoModemError(RigError):
    """No modem, or not the one named, or another process has it."""

    exit_status = 3
    outcome = "NO MODEM"


class PortBusyError(NoModemError):
    """Another process holds the port."""

    outcome = "PORT BUSY"


class PortLostError(NoModemError):
    """The port went away while it was open: unplugged, or hung up by the other side."""

    outcome = "PORT LOST"


class CannotRunError(RigError):
    """This machine lacks something; the message names it, the advice mends it."""

    exit_status = 4
    outcome = "CANNOT RUN"


class GuestError(CannotRunError):
    """A lab's guest did not start, or ended before its command did. ``console``: all that its console said."""

    def __init__(self, message: str, advice: str = "", *, console: str = "") -> None:
        super().__init__(message, advice)
        self.console = console


class CallError(RigError):
    """The call did not connect. ``result`` is the modem's result code as it stood."""

    exit_status = 13
    outcome = "NO CARRIER"

    def __init__(self, message: str, advice: str = "", *, result: str = "") -> None:
        super().__init__(message, advice)
        self.result = result or self.outcome


class BusyError(CallError):
    exit_status = 10
    outcome = "BUSY"


class NoAnswerError(CallError):
    exit_status = 11
    outcome = "NO ANSWER"


class NoDialtoneError(CallError):
    exit_status = 12
    outcome = "NO DIALTONE"


class NoCarrierError(CallError):
    exit_status = 13
    outcome = "NO CARRIER"


class ModemError(CallError):
    """The modem answered ERROR, or something that is no answer to what was asked."""

    exit_status = 14
    outcome = "ERROR"


class ModemSilentError(ModemError):
    """The modem did not answer within its time."""

    outcome = "NO RESPONSE"


class PppError(RigError):
    """The PPP session did not come up, or did not stay."""

    exit_status = 20
    outcome = "PPP NEGOTIATION FAILED"


class AuthenticationError(PppError):
    exit_status = 21
    outcome = "AUTHENTICATION REFUSED"


class CarrierLostError(PppError):
    exit_status = 22
    outcome = "CARRIER LOST"


class InterfaceGoneError(CarrierLostError):
    """A network interface is not there any more: what it was of, a call, has ended meanwhile."""


class NetworkError(RigError):
    """A network, or a proxy on the way, does not let us through."""

    exit_status = 23
    outcome = "NETWORK LETS NOTHING THROUGH"


class NothingCheckedError(RigError):
    """Nothing failed, because nothing was checked: no success."""

    exit_status = 24
    outcome = "NOTHING CHECKED"


class InternalError(RigError):
    """A fault of the rig's own. ``trace``: where it came from, for whoever mends it."""

    exit_status = 70
    outcome = "INTERNAL ERROR"

    def __init__(self, message: str, advice: str = "", *, trace: str = "") -> None:
        super().__init__(message, advice)
        self.trace = trace


def as_outcome(error: Exception) -> RigError:
    """Any exception as something that a run can end with: what the machine refuses is CANNOT RUN, every other one that
    is no RigError a fault of ours."""
    if isinstance(error, RigError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return CannotRunError(f"{error.filename}: {error.strerror}")
    return InternalError(
        f"{type(error).__name__}: {error}",
        "this is a fault of the rig's, not of your line; -v shows where, and a report has it",
        trace="".join(traceback.format_exception(error)),
    )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM. No RigError, and no Exception: libraries and event loops let only this kind through."""

    exit_status: ClassVar[int] = 130
    outcome: ClassVar[str] = "INTERRUPTED"
    advice: ClassVar[str] = ""
