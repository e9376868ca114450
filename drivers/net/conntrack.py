"""The kernel's connection tracking table, by conntrack(8): what one address has there, and forgetting it.

pyroute2 knows the same messages, and takes 6 ms over each flow: a caller who leaves two hundred behind would hold
up the line for seconds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from rig.drivers.base import kernel_module
from rig.drivers.base.program import find
from rig.drivers.net.namespace import NetworkNamespace

BOUND_SECONDS = 20.0
TRIES = 50
"""Each ends with a flow that has just vanished, and those before it are gone already."""
VANISHED = "such conntrack doesn't exist"
SETTINGS = Path("/proc/sys/net/netfilter")
STRICT = {
    "tcp_be_liberal": 0, "checksum": 1, "tcp_timeout_close": 0, "tcp_timeout_last_ack": 5, "tcp_timeout_time_wait": 1,
}  # fmt: skip
"""For a filter that is to let nothing through which belongs to no flow: one that has ended is forgotten within a second
(at once where it was reset), and not in the two minutes of the kernel's own settings. Ended is what both sides have
ended and acknowledged; a last ACK that is lost before it comes here is waited for as long as one is sent anew. Not
sooner: behind both FINs the kernel takes any ACK for the last (LAST_ACK in its table of states,
nf_conntrack_proto_tcp.c), as one of data that crossed the FIN; and the one that then follows would begin a flow from
its middle, which nobody ends."""
OURS = ("--orig-src", "--orig-dst", "--reply-src", "--reply-dst")
"""The places in a flow's two tuples where an address can stand; behind NAT the reply's are not the original's."""


def flush_address(namespace: NetworkNamespace, address: IPv4Address) -> int:
    """Forget every flow from or to ``address``; how many there were.

    So that a reply to the last caller with this address never reaches the next one (the paper's §3.1). Raises
    CannotRunError without conntrack(8), RuntimeError with its words when it fails.
    """
    program = find("conntrack", "conntrack")
    with namespace.entered():
        return sum(_delete(program, place, address) for place in OURS)


def flush(namespace: NetworkNamespace) -> None:
    """Forget every flow. Raises as :func:`flush_address`."""
    command = [find("conntrack", "conntrack"), "--flush"]
    with namespace.entered():
        result = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_SECONDS)
    if result.returncode != 0:
        raise RuntimeError(f"conntrack --flush: {result.stderr.strip()}")


def settle(namespace: NetworkNamespace, settings: Mapping[str, int] = STRICT) -> None:
    """Set what a namespace's connection tracking is like, by the kernel's names behind ``nf_conntrack_``
    (Documentation/networking/nf_conntrack-sysctl.rst). Raises CannotRunError where the kernel has none."""
    if not (SETTINGS / "nf_conntrack_max").exists():  # no rule of anybody's has needed it since this machine booted
        kernel_module.load("nf_conntrack")
    with namespace.entered():
        for name, value in settings.items():
            (SETTINGS / f"nf_conntrack_{name}").write_text(str(value))


def room(namespace: NetworkNamespace) -> tuple[int, int]:
    """How many flows a namespace keeps track of, and how many each may: the limit is the kernel's, for all alike."""
    with namespace.entered():
        kept = int(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text())
    return kept, int(Path("/proc/sys/net/netfilter/nf_conntrack_max").read_text())


def _delete(program: str, place: str, address: IPv4Address) -> int:
    """How many were told of: one that times out by itself meanwhile ends the program, and it is run again."""
    command = [program, "--delete", "--family", "ipv4", place, str(address)]
    for _ in range(TRIES):
        result = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_SECONDS)
        counted = re.search(r"(\d+) flow entries have been deleted", result.stderr)
        if counted is not None:  # status 1 is also that of "none were there"
            return int(counted[1])
        if VANISHED not in result.stderr:
            break
    raise RuntimeError(f"conntrack {place} {address}: {result.stderr.strip()}")
