"""What a VPN is held to (§2.1.3, §3.3): what was agreed on, that nothing of it is in clear on the way, and that there
is no way beside it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing

from drivers.ipsec.charon import Association
from rig.checks.check import WATCHED, Surroundings, check, not_run
from rig.config.destinations import HTTPS
from rig.probes import observer
from rig.probes.reaching import answered, begun
from rig.verdict.verdict import CheckResult

ESP, UDP = 50, 17
IKE_PORTS = (500, 4500)
OUTDATED = re.compile(r"\b(DES|3DES|MD5|SHA1|MODP_768|MODP_1024|MODP_1536)", re.IGNORECASE)
"""What nobody should use any more (RFC 8247, RFC 8221)."""


@check("3.3", ("vpn",))
def what_was_agreed(around: Surroundings) -> Iterator[CheckResult]:
    """IKE and ESP as the bench's policy has them; what is outdated by today's measure is named."""
    agreed = around.up.details.get("association")
    assert isinstance(agreed, Association)
    outdated = sorted({each.upper() for each in OUTDATED.findall(f"{agreed.ike} {agreed.esp}")})
    observed = f"IKE {agreed.ike}; ESP {agreed.esp}, {agreed.mode}" + (" in UDP 4500" if agreed.udp else "")
    wanted = str(around.up.details["policy"])
    held = bool(outdated) if wanted == "paper-2007" else not outdated
    said = f"; outdated today: {', '.join(outdated)}" if outdated else ""
    yield CheckResult("what IKE agreed on", wanted, f"as {wanted} has it", observed + said, held)


@check("2.1.3", ("vpn",), (WATCHED,))
def nothing_in_clear(around: Surroundings) -> Iterator[CheckResult]:
    """Beyond the console nothing but IKE and ESP is to be seen, while it speaks with every server."""
    underlay = around.up.underlay
    name = "nothing in clear"
    if underlay is None or around.wire is None:
        yield not_run(name, "", "nobody can look at the way that the VPN goes")
        return
    with closing(observer.arriving(around.wire.namespace, around.wire.interface)) as wire:
        for server in around.allowed.servers:
            around.up.connect(around.namespace, server, HTTPS, around.answer_seconds).close()
        seen = [packet for packet in wire.collect() if packet[0] >> 4 == 4]
    clear = [packet for packet in seen if not _is_vpns(packet)]
    observed = f"{len(clear)} of {len(seen)} packets are something else" if clear else f"{len(seen)} packets, all of it"
    yield CheckResult(name, str(underlay.source), "IKE and ESP alone", observed, bool(seen) and not clear)


def _is_vpns(packet: bytes) -> bool:
    """Whether a packet is ESP, or goes to or comes from IKE's ports."""
    head = 4 * (packet[0] & 15)
    if packet[9] == ESP:
        return True
    ports = (int.from_bytes(packet[head : head + 2], "big"), int.from_bytes(packet[head + 2 : head + 4], "big"))
    return packet[9] == UDP and any(port in IKE_PORTS for port in ports)


@check("2.1.3", ("vpn",), (WATCHED,))
def beside_the_vpn(around: Surroundings) -> Iterator[CheckResult]:
    """A connection that does not go through the VPN reaches no server."""
    underlay = around.up.underlay
    assert underlay is not None
    assert around.watch is not None
    server, other = around.allowed.servers[0], around.allowed.servers[-1]
    began = time.monotonic()
    with begun(around.namespace, server, bound_to=(underlay.interface, str(underlay.source))) as attempt:
        around.up.connect(around.namespace, other, HTTPS, around.answer_seconds).close()
        said, port = answered(attempt), attempt.getsockname()[1]
    arrived = around.watch.ask("arrivals", since=began, destination=str(server), source_port=port)
    observed = f"{said}; {len(arrived)} packets arrived" if arrived else f"{said}; nothing arrived"
    yield CheckResult("beside the VPN", f"{server}:{HTTPS}", "no way", observed, said != "open" and not arrived)
