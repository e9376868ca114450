"""libspandsp (Debian's libspandsp2, 0.0.6), by ctypes, in this module and nowhere else.

Each object of the library's is owned by an :class:`Owned`, which frees it with whoever holds that.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from collections.abc import Callable, Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_float, c_int, c_size_t, c_void_p
from typing import Any

import numpy as np

from rig.drivers.base.errors import CannotRunError
from rig.drivers.sound.samples import Coded

NAME = "libspandsp.so.2"

GetBit = CFUNCTYPE(c_int, c_void_p)
PutBit = CFUNCTYPE(None, c_void_p, c_int)
Status = CFUNCTYPE(None, c_void_p, c_int)


class Complex(Structure):
    """complexf_t."""

    _fields_ = (("re", c_float), ("im", c_float))


Symbol = CFUNCTYPE(None, c_void_p, POINTER(Complex), POINTER(Complex), c_int)


class V8Parameters(Structure):
    """v8_parms_s."""

    _fields_ = (
        ("status", c_int), ("modem_connect_tone", c_int), ("send_ci", c_int), ("v92", c_int), ("call_function", c_int),
        ("modulations", c_int), ("protocol", c_int), ("pstn_access", c_int), ("pcm_modem_availability", c_int),
        ("nsf", c_int), ("t66", c_int),
    )  # fmt: skip


V8Result = CFUNCTYPE(None, c_void_p, POINTER(V8Parameters))


class FskSpec(Structure):
    """fsk_spec_t. ``baud_rate`` in hundredths."""

    _fields_ = (
        ("name", c_char_p), ("freq_zero", c_int), ("freq_one", c_int), ("tx_level", c_int), ("min_level", c_int),
        ("baud_rate", c_int),
    )  # fmt: skip


_POINTER = (c_void_p,)
_SAMPLES = (c_void_p, c_void_p, c_int)
# What each takes, and what it gives.
_FUNCTIONS: dict[str, tuple[Sequence[Any], Any]] = {
    "v22bis_init": ((c_void_p, c_int, c_int, c_int, GetBit, c_void_p, PutBit, c_void_p), c_void_p),
    "v22bis_tx": (_SAMPLES, c_int),
    "v22bis_rx": (_SAMPLES, c_int),
    "v22bis_tx_power": ((c_void_p, c_float), None),
    "v22bis_rx_signal_cutoff": ((c_void_p, c_float), None),
    "v22bis_rx_signal_power": (_POINTER, c_float),
    "v22bis_get_current_bit_rate": (_POINTER, c_int),
    "v22bis_set_modem_status_handler": ((c_void_p, Status, c_void_p), None),
    "v22bis_rx_set_qam_report_handler": ((c_void_p, Symbol, c_void_p), None),
    "v22bis_free": (_POINTER, c_int),
    "fsk_tx_init": ((c_void_p, c_void_p, GetBit, c_void_p), c_void_p),
    "fsk_tx": (_SAMPLES, c_int),
    "fsk_tx_power": ((c_void_p, c_float), None),
    "fsk_tx_free": (_POINTER, c_int),
    "fsk_rx_init": ((c_void_p, c_void_p, c_int, PutBit, c_void_p), c_void_p),
    "fsk_rx": (_SAMPLES, c_int),
    "fsk_rx_signal_cutoff": ((c_void_p, c_float), None),
    "fsk_rx_free": (_POINTER, c_int),
    "v8_init": ((c_void_p, c_int, POINTER(V8Parameters), V8Result, c_void_p), c_void_p),
    "v8_tx": (_SAMPLES, c_int),
    "v8_rx": (_SAMPLES, c_int),
    "v8_free": (_POINTER, c_int),
    "dtmf_tx_init": (_POINTER, c_void_p),
    "dtmf_tx": (_SAMPLES, c_int),
    "dtmf_tx_put": ((c_void_p, c_char_p, c_int), c_int),
    "dtmf_tx_set_timing": ((c_void_p, c_int, c_int), None),
    "dtmf_tx_set_level": ((c_void_p, c_int, c_int), None),
    "dtmf_tx_free": (_POINTER, c_int),
    "dtmf_rx_init": ((c_void_p, c_void_p, c_void_p), c_void_p),
    "dtmf_rx": (_SAMPLES, c_int),
    "dtmf_rx_parms": ((c_void_p, c_int, c_int, c_int, c_int), None),
    "dtmf_rx_get": ((c_void_p, c_char_p, c_int), c_size_t),
    "dtmf_rx_free": (_POINTER, c_int),
}


@functools.cache
def library() -> ctypes.CDLL:
    """The library, loaded once. Raises CannotRunError where it is not installed."""
    try:
        loaded = ctypes.CDLL(NAME)
    except OSError as error:
        raise CannotRunError(f"an analogue line needs {NAME}: {error}", "apt-get install libspandsp2") from None
    for name, (takes, gives) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = takes, gives
    return loaded


def preset(index: int) -> FskSpec:
    """One of the library's modems by FSK, as its table has them."""
    return (FskSpec * (index + 1)).in_dll(library(), "preset_fsk_specs")[index]


class Owned:
    """An object of the library's: made by NAME_init or NAME_tx_init, freed with this one.

    ``kept``: the callbacks it was given, which must live as long.
    """

    def __init__(self, name: str, *arguments: object, kept: Sequence[object] = ()) -> None:
        self._kept = [*kept, *arguments]
        self.handle = getattr(library(), f"{name}_init")(*arguments)
        if not self.handle:
            raise MemoryError(f"{NAME}: {name}_init")
        weakref.finalize(self, getattr(library(), f"{name}_free"), self.handle)

    def keep(self, callback: object) -> Any:
        """A callback that it is given later on; the same."""
        self._kept.append(callback)
        return callback


def bits_and_signals(take_bit: Callable[[int], None], take_signal: Callable[[int], None]) -> object:
    """For a receiver: what it puts is a bit, or, below 0, a status."""
    return PutBit(lambda _, bit: take_bit(bit) if bit >= 0 else take_signal(bit))


def transmit(function: Callable[..., int], handle: int, count: int) -> Coded:
    """``count`` samples from one of the library's senders; silence behind what it has."""
    sound = np.zeros(count, np.int16)
    made = function(handle, sound.ctypes.data, count)
    sound[made:] = 0
    return sound


def receive(function: Callable[..., int], handle: int, sound: Coded) -> None:
    """Samples for one of the library's receivers."""
    function(handle, np.ascontiguousarray(sound, np.int16).ctypes.data, len(sound))
