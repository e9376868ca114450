"""The modems that are known: the profiles of hw-config/modems."""

from __future__ import annotations

import functools
from pathlib import Path

from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.profile import Profile, load

FOLDER = HW_CONFIG / "modems"
GENERIC = "generic"


@functools.cache
def all_profiles(folder: Path = FOLDER) -> tuple[Profile, ...]:
    """Every profile shipped. Raises ConfigError for the first that is wrong."""
    return tuple(load(path) for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem))


def named(name: str) -> Profile:
    """A profile by its name. Raises UsageError, naming those there are."""
    for profile in all_profiles():
        if profile.name == name:
            return profile
    raise UsageError(f"there is no modem profile {name!r}", f"one of {', '.join(p.name for p in all_profiles())}")


def by_usb(vendor: str, product: str) -> tuple[Profile, ...]:
    """The profiles that have a USB id, before anything was asked."""
    return tuple(profile for profile in all_profiles() if profile.knows_usb(vendor, product))


def recognise(identity: Identity, vendor: str = "", product: str = "") -> Profile:
    """The profile of a modem that has said who it is; the generic one when none knows it.

    What it says counts before its USB id: many makes of modem share an id with the maker of their chip.
    """
    known_id = by_usb(vendor, product) if vendor else ()
    for candidates in (known_id, all_profiles()):
        best = max(candidates, key=lambda profile: profile.recognised_in(identity), default=None)
        if best is not None and best.recognised_in(identity):
            return best
    return known_id[0] if known_id else named(GENERIC)
