"""What UDP has opened, and nobody has used since: it must be shut when the time is over that the gateway's owner names.
UDP has no end that could be seen, and how long a hole stays open is a filter's own affair (RFC 4787 §4.3 asks address
translators for two minutes at least; Linux has 30 s, and 120 s where an answer has come)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rig.drivers.base.interruptions import waiting
from rig.probes import packets
from rig.probes.making import Ground, ProbeMaker
from rig.probes.probe import Outcome, Probe

AFTER = "after a time-out"
FIRST_OPENING, FIRST_LATE = 45001, 46001

Send = Callable[[list[Probe]], list[Outcome]]


@dataclass(frozen=True)
class Opened:
    """``outcomes`` of what opened it; ``late``: what would still come in by that; ``at``: since when, on the monotonic
    clock."""

    outcomes: tuple[Outcome, ...]
    late: tuple[Probe, ...]
    at: float


def opened(ground: Ground, send: Send) -> Opened:
    """Something to each place that the fence has open for UDP. None of it is answered."""
    make, answer, late, openings = ProbeMaker(ground, FIRST_OPENING), ProbeMaker(ground, FIRST_LATE), [], []
    for server in ground.allowed.vpn_servers:
        for service in ground.allowed.vpn:
            if service.protocol != "udp":
                continue
            number, other = make.number(), answer.number()
            what = f"{service} to {server}"
            made = packets.udp(ground.caller, server, service.port, number)
            probe = make.outward(AFTER, what, made, number, allowed=True)
            openings.append(replace(probe, answered=False))
            made = packets.udp(server, make.target, packets.port_of(number), other, source_port=service.port)
            late.append(answer.inward(AFTER, f"{service} from {server}, to where it was asked from", made, other))
    return Opened(tuple(send(openings)), tuple(late), time.monotonic())


def after(over: Opened, seconds: float, send: Send) -> list[Outcome]:
    """What comes when so many seconds have passed, where there was anything to open."""
    with waiting():
        time.sleep(max(0.0, over.at + seconds - time.monotonic()))
    return send(list(over.late))
