"""What an exchange with lines that carry sound is to be; of nothing that only such an exchange needs."""

from __future__ import annotations

from dataclasses import dataclass

from rig.drivers.base.errors import CannotRunError
from rig.drivers.sound.impairments import Impairments


@dataclass(frozen=True)
class CardPlan:
    """A sound card to which a line leads. ``device`` as its library has it; ``louder``: by how many dB what it hears is
    made, and what it plays."""

    device: str
    louder: tuple[float, float]


@dataclass(frozen=True)
class AnaloguePlan:
    """``fastest``: what modems can do there, in bit/s; ``hurry``: as fast as the machine can, not in real time;
    ``card``: where a line leads that is put on a sound card."""

    fastest: int
    hurry: bool
    impairments: Impairments
    card: CardPlan | None = None


def check_installed(*, card: bool) -> None:
    """Raises CannotRunError where what lines that carry sound need is not all here, with that of a sound ``card``."""
    try:
        from rig.drivers.sound import card as sound_card
        from rig.drivers.sound import spandsp
    except ModuleNotFoundError as error:
        raise CannotRunError(f"a line that carries sound needs {error.name}", "pip install 'rig[analogue]'") from None
    spandsp.library()
    if card:
        sound_card.library()
