"""The making of a way home by modem: the near end that the bench has, and the rig's own gateway and partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.config.ports import near_port
from rig.config.secret_files import read_secret
from rig.drivers.modem.number import Number
from rig.drivers.net.link_end import LinkEnd
from rig.links.making import near_end_of
from rig.links.near_end import NearEnd
from rig.parts.exchange.emulated import NEAR_LINE, PARTITION_LINE, EmulatedExchange
from rig.parts.fence_rules import SavedFence
from rig.parts.rack import FarEnd
from rig.paths.built import Places
from rig.paths.modem import ModemPath
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.progress import Progress


@dataclass(frozen=True)
class BuiltModem:
    """See Built. ``near``, and ``far`` where it is the rig's own."""

    bench: Bench
    path: ModemPath
    ca: str
    watch: Control | None
    pool: IPv4Network | None
    near: NearEnd
    far: FarEnd | None

    def places(self, up: Up) -> Places:
        own = LinkEnd(up.namespace, up.interface)
        if self.far is None:
            return Places(own)
        gateway = self.far.gateway
        return Places(own, gateway.behind, gateway.fence.towards(up.source))

    def fence(self, up: Up) -> SavedFence | None:
        return self.far.gateway.fence.around(up.source) if self.far else None


def build(
    bench: Bench,
    numbers: Sequence[Number],
    owner: Owner,
    progress: Progress,
    capture: Capture | None = None,
    *,
    inbound: bool = False,
    beneath: bool = False,
) -> BuiltModem:
    """Everything started, nothing opened. ``inbound``: the near end is a representative, who has no far end;
    ``beneath``: another way runs over this one, and has the default route."""
    far = None
    if bench.lig is not None and not inbound:
        with progress.step("far end: LIG, service hosts" + (", exchange" if bench.exchange else "")):
            far = FarEnd(bench, owner)
        port, secret = far.near_port, far.secret
    else:
        port, secret = near_port(bench), read_secret(bench, "")
    auth = bench.inbound.auth if inbound and bench.inbound else "pap"
    near = near_end_of(owner, bench, port, secret, progress, auth=auth)
    near.default_route = not beneath
    if far is not None:
        far.attach(near.namespace)
    if capture is not None:
        begin(capture, owner, bench, near, far.lines if far else None)
    return built_of(bench, near, numbers, far)


def built_of(bench: Bench, near: NearEnd, numbers: Sequence[Number], far: FarEnd | None) -> BuiltModem:
    """The way home that a near end is to go."""
    path = ModemPath(near, numbers, load_destinations(bench))
    pool = bench.expect.pool or (bench.lig.pool if bench.lig else None)
    ca, watch = (str(far.ca), far.hosts) if far else (bench.expect.ca, None)
    return BuiltModem(bench, path, ca, watch, pool, near, far)


def begin(capture: Capture, owner: Owner, bench: Bench, near: NearEnd, lines: EmulatedExchange | None) -> None:
    """Have taken what the calls of a near end carry, from now on; before it opens its port."""
    remote = bench.near_end.remote_modem
    if remote is not None:
        capture.tap(owner, near.namespace, remote.interface or "i5os0", "to the partition")
    if lines is not None and lines.leads_outside:
        near.record = capture.line(near.port)
        lines.control.ask("sound", line=NEAR_LINE, file=str(capture.line_sound()))
    elif lines is not None:
        line = PARTITION_LINE if remote is not None else NEAR_LINE
        lines.control.ask("record", line=line, file=str(capture.line(line)))
        if lines.plan.analogue is not None:
            lines.control.ask("sound", line=line, file=str(capture.line_sound()))
    elif remote is None:
        near.record = capture.line(near.port)
