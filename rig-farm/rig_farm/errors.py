"""What can go wrong between a client and a bench of the farm; each says what would be right."""

from __future__ import annotations


class FarmError(Exception):
    """Any of these."""


class LeaseError(FarmError):
    """The bench is not acquired, or no longer."""


class BenchLostError(FarmError):
    """The bench, or the way to it, went away before the run had ended."""


class FrameError(FarmError):
    """What came from the bench's machine is not what `rig-on-bench` says."""


class CallFailedError(FarmError):
    """The rig's verdict is not the one that was wanted."""
