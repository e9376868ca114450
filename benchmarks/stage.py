"""What the benchmarks stand on: a far end of their own and callers that dial into it, or an exchange alone."""

from __future__ import annotations

import io
from pathlib import Path

from rig.config.bench_files import load
from rig.drivers.modem.number import Number
from rig.links.making import caller_at
from rig.links.near_end import NearEnd
from rig.parts.exchange import switch
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.switch import Entry, Plan
from rig.parts.rack import FarEnd
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess
from rig.run.progress import Progress

BENCHES = Path(__file__).parent
GATEWAY = Number("1-800-555-0100")
INSTANT = Timing(rate=None, setup=0, ring_every=1, training=0, patience=1)


def far_end(name: str, owner: Owner) -> FarEnd:
    """The far end of one of the bench files beside this module."""
    return FarEnd(load(str(BENCHES / f"{name}.toml")), owner)


def exchange(owner: Owner) -> tuple[Control, Plan]:
    """An exchange without delays, with a modem at 555-0100."""
    plan = Plan(INSTANT, (Entry("555-0100", "modem"),), owner.folder)
    process = owner.own(PartnerProcess("exchange", switch.main, (plan,), owner.folder / "exchange.log"))
    process.wait_ready()
    return Control(plan.control_path), plan


def caller(far: FarEnd, owner: Owner, name: str) -> NearEnd:
    """A near end on a line of its own, its modem not yet open."""
    port = far.install_line(name, "")
    return caller_at(owner, far.bench, port, far.secret, Progress(io.StringIO()), name)
