"""A modem from whatever its last user has left it in to ready for a call: the same at every end of a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.drivers.modem.identity import Identity
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.profile import PortFacts, Profile
from rig.drivers.serial.ports import port_at
from rig.drivers.serial.serial_line import SerialLine


@dataclass(frozen=True)
class Ready:
    """``profile``: the one that was named, or the one by which it was recognised, None where neither is so.
    ``cts_lacks``: RTS and CTS were wanted, and are not used, because CTS is off."""

    identity: Identity
    profile: Profile | None
    cts_lacks: bool


def opened(port: str, known: Profile | None, speed: int = 0) -> SerialLine:
    """A port at a speed, 0 for the profile's; RTS and CTS are left alone until it is known that CTS is wired. Raises as
    SerialLine does."""
    facts = known.port if known is not None else PortFacts()
    return SerialLine(port, speed or facts.speed, rtscts=False)


def bring_up(
    modem: Modem,
    known: Profile | None,
    settings: Callable[[Profile | None], tuple[str, ...]],
    recognise: Callable[[Identity, str, str], Profile] | None = None,
) -> Ready:
    """Reset it, set it as its make and ``settings`` have it, and use flow control where it is wired. With ``recognise``
    it is asked who it is, and known by that and by its port's USB id, where nobody has named a profile. Raises
    ModemError, ModemSilentError, PortLostError.
    """
    if known is not None:
        modem.follow(known)
    modem.reset()
    identity = modem.identify() if recognise else Identity()
    if known is None and recognise:
        port = port_at(modem.line.port)
        known = recognise(identity, port.vendor, port.model)
        modem.follow(known)
    modem.configure(*settings(known))
    wanted = known is not None and known.port.flow_control
    return Ready(identity, known, modem.line.set_flow_control(wanted) != wanted)
