"""What a verdict says of a near end."""

from __future__ import annotations

from drivers.pppd import PppUp
from rig.near_end import NearEnd
from rig.verdict import ModemReport, PppReport


def modem_report(near: NearEnd) -> ModemReport:
    """Its modem, once it is open."""
    who = near.identity
    return ModemReport(who.manufacturer, who.model, who.revision, near.profile.name if near.profile else "")


def ppp_report(up: PppUp) -> PppReport:
    """Its session."""
    return PppReport(up.interface, up.local, up.peer, up.dns, up.mtu, up.auth)
