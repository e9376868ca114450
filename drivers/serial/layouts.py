"""Which USB interface of a make's modems carries what: AT and PPP, positions, diagnostics.

One TOML file a vendor id in hw-config/layouts, with its sources. A profile (profile.py) is of one make of modem and
says how it speaks; a layout is of all that a maker has built, and says which of its ports nothing is to be written to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from rig.drivers.base.errors import ConfigError
from rig.drivers.base.tables import Table, convert, read

Role = Literal["modem", "at", "nmea", "diagnostics", "silent", ""]

UNTOUCHED: tuple[Role, ...] = ("diagnostics", "silent")
"""What nothing is written to."""
_HEXADECIMAL = re.compile(r"[0-9a-f]{4}")


class Product(Table, frozen=True):
    """Interface numbers. ``modem``: the one that takes PPP; ``at``: commands alone; ``nmea``: positions;
    ``diagnostics``: a protocol of the chip's maker; ``silent``: firmware, audio, a network interface's own."""

    name: str = ""
    modem: int | None = None
    at: tuple[int, ...] = ()
    nmea: tuple[int, ...] = ()
    diagnostics: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()

    def role_of(self, interface: int) -> Role:
        """What an interface carries; "" where the sources do not say."""
        if interface == self.modem:
            return "modem"
        roles: tuple[Role, ...] = ("at", "nmea", "diagnostics", "silent")
        return next((role for role in roles if interface in getattr(self, role)), "")


class Layout(Table, frozen=True):
    """A vendor id's. ``product``: by its id; ``any``: what holds for nearly all of a maker's products, and so for one
    that is not listed, and for the interfaces of a listed one that its sources are silent on."""

    vendor: str
    title: str
    source: tuple[str, ...]
    any: Product = Product()
    product: dict[str, Product] = msgspec.field(default_factory=dict)

    def product_name(self, product: str) -> str:
        known = self.product.get(product)
        return f"{self.title} {known.name}" if known else f"modem of {self.title}'s"

    def role_of(self, product: str, interface: int) -> Role:
        """What an interface of a product carries; "" where nobody says."""
        known = self.product.get(product)
        if known is None:
            return self.any.role_of(interface)
        by_others = self.any.role_of(interface)
        return known.role_of(interface) or (by_others if by_others in UNTOUCHED else "")


def load(path: Path) -> Layout:
    """A layout from its file. Raises ConfigError, naming the file and the key."""
    layout: Layout = convert(path, read(path), Layout)
    for key, value in [("vendor", layout.vendor), *((f"product.{product}", product) for product in layout.product)]:
        if not _HEXADECIMAL.fullmatch(value):
            raise ConfigError(f"{path}: key {key!r}: it takes four hexadecimal digits in small letters, not {value!r}")
    for number, product in layout.product.items():
        modem = () if product.modem is None else (product.modem,)
        numbers = [*modem, *product.at, *product.nmea, *product.diagnostics, *product.silent]
        twice = sorted({each for each in numbers if numbers.count(each) > 1})
        if twice:
            raise ConfigError(f"{path}: key 'product.{number}': interface {twice[0]} is named twice")
    return layout
