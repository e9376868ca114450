"""A modem's loudspeaker: when it is on, and how loud (V.250 §6.3.13, L, and §6.3.14, M; M3 is Hayes's)."""

from __future__ import annotations

from collections.abc import Mapping

from rig.parts.exchange.hayes.events import ModemState

_LOUD = {0: -18.0, 1: -12.0, 2: -6.0, 3: 0.0}
"""dB, of L0 to L3."""
_IN_DATA = (ModemState.DATA, ModemState.ONLINE_COMMAND)
_ON: dict[int, tuple[ModemState, ...]] = {
    0: (),
    1: (ModemState.DIALLING, ModemState.CALLING, ModemState.ANSWERING),
    2: (ModemState.DIALLING, ModemState.CALLING, ModemState.ANSWERING, *_IN_DATA),
    3: (ModemState.CALLING, ModemState.ANSWERING),
}


def loudness(state: ModemState, options: Mapping[str, int]) -> float | None:
    """By how many dB the line's sound is changed; None while it is off."""
    return _LOUD[options["L"]] if state in _ON[options["M"]] else None
