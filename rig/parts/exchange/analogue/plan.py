"""What an exchange with lines that carry sound is to be; of nothing that only such an exchange needs."""

from __future__ import annotations

from dataclasses import dataclass

from rig.drivers.base.errors import CannotRunError
from rig.drivers.sound.impairments import Impairments


@dataclass(frozen=True)
class AnaloguePlan:
    """``fastest``: what modems can do there, in bit/s; ``hurry``: as fast as the machine can, not in real time."""

    fastest: int
    hurry: bool
    impairments: Impairments


def check_installed() -> None:
    """Raises CannotRunError where something lacks that lines which carry sound need."""
    try:
        from rig.drivers.sound import spandsp
    except ModuleNotFoundError as error:
        raise CannotRunError(f"a line that carries sound needs {error.name}", "pip install 'rig[analogue]'") from None
    spandsp.library()
