"""The way home that a bench has, by its tables."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.modem.number import Number
from rig.config.bench import Bench
from rig.paths import internet_building, modem_building, multi_hop_building, proxy_building, vpn_building
from rig.paths.built import Built
from rig.paths.served import Served
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress


def build(
    bench: Bench, numbers: Sequence[Number], owner: Owner, progress: Progress, capture: Capture | None = None
) -> Built:
    """Everything started, nothing opened. ``numbers``: for a way that dials."""
    if bench.vpn_gateway is not None:
        if bench.near_end.remote_modem is not None:
            return multi_hop_building.build(bench, owner, progress, capture)
        if bench.internet is not None:
            return vpn_building.build(bench, owner, progress, capture)
        call = modem_building.build(bench, numbers, owner, progress, capture, beneath=True)
        assert call.far is not None
        far = call.far
        return vpn_building.over_modem(bench, owner, progress, call, call.near.console, far.gateway, far.service)
    if bench.proxy is not None:
        return proxy_building.build(bench, owner, progress, capture)
    if bench.internet is not None:
        return internet_building.build(bench, owner, progress, capture)
    return modem_building.build(bench, numbers, owner, progress, capture)


def serve(bench: Bench, owner: Owner, progress: Progress) -> Served:
    """The far end of a network's way, for a device that is the console."""
    if bench.vpn_gateway is not None:
        return vpn_building.serve(bench, owner, progress)
    if bench.proxy is not None:
        return proxy_building.serve(bench, owner, progress)
    return internet_building.serve(bench, owner, progress)
