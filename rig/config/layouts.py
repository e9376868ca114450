"""The makers whose modems are known by what their USB interfaces carry: the layouts of hw-config/layouts."""

from __future__ import annotations

import functools
from pathlib import Path

from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import ConfigError
from rig.drivers.serial.layouts import Layout, load

FOLDER = HW_CONFIG / "layouts"


@functools.cache
def all_layouts(folder: Path = FOLDER) -> dict[str, Layout]:
    """Every layout shipped, by vendor id. Raises ConfigError for the first that is wrong."""
    found: dict[str, Layout] = {}
    for path in sorted(folder.glob("*.toml")):
        layout = load(path)
        if layout.vendor in found:
            raise ConfigError(
                f"{path}: key 'vendor': {layout.vendor} has a file already, of {found[layout.vendor].title}"
            )
        found[layout.vendor] = layout
    return found


def by_vendor(vendor: str) -> Layout | None:
    """The layout of a vendor id; None for a vendor without one."""
    return all_layouts().get(vendor.lower()) if vendor else None


def dials(vendor: str, product: str) -> int | None:
    """The interface of a product that takes PPP, where its maker's layout says so."""
    layout = by_vendor(vendor)
    if layout is None:
        return None
    known = layout.product.get(product)
    return known.modem if known else layout.any.modem
