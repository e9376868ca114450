"""The way home that a bench has, by its tables. Of the others nothing is loaded: that would be time of every call's."""

from __future__ import annotations

from collections.abc import Sequence

from rig.config.bench import Bench
from rig.drivers.modem.number import Number
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
        return _through_a_vpn(bench, numbers, owner, progress, capture)
    if bench.proxy is not None:
        from rig.paths import proxy_building

        return proxy_building.build(bench, owner, progress, capture)
    if bench.internet is not None:
        from rig.paths import internet_building

        return internet_building.build(bench, owner, progress, capture)
    from rig.paths import modem_building

    return modem_building.build(bench, numbers, owner, progress, capture)


def _through_a_vpn(
    bench: Bench, numbers: Sequence[Number], owner: Owner, progress: Progress, capture: Capture | None
) -> Built:
    from rig.paths import modem_building, multi_hop_building, vpn_building

    assert bench.vpn_gateway is not None
    if bench.vpn_gateway.interface:
        from rig.paths import vpn_device

        return vpn_device.build(bench, owner, progress, capture)
    if bench.near_end.remote_modem is not None:
        return multi_hop_building.build(bench, owner, progress, capture)
    if bench.internet is not None:
        return vpn_building.build(bench, owner, progress, capture)
    call = modem_building.build(bench, numbers, owner, progress, capture, beneath=True)
    assert call.far is not None
    far = call.far
    return vpn_building.over_modem(bench, owner, progress, call, call.near.console, far.gateway, far.service, capture)


def serve(bench: Bench, owner: Owner, progress: Progress) -> Served:
    """The far end of a network's way, for a device that is the console."""
    from rig.paths import internet_building, proxy_building, vpn_building

    if bench.vpn_gateway is not None:
        return vpn_building.serve(bench, owner, progress)
    if bench.proxy is not None:
        return proxy_building.serve(bench, owner, progress)
    return internet_building.serve(bench, owner, progress)
