"""What the kernel has of IPsec in a namespace: security associations and policies (XFRM)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from rig.drivers.net.namespace import NetworkNamespace

BOUND_SECONDS = 20.0
LOAD_SECONDS = 60.0
"""For all modules of a policy, on a slow machine that is busy."""
BLOCK, LAST = "block", "4000000000"
"""What a policy does, and its place behind every other."""
ALGORITHMS = Path("/proc/crypto")
# strongSwan's words, the kernel's names, and bytes of a key; of a hash the bits of a packet's sum, too.
_CIPHERS = {
    "3des": ("cbc(des3_ede)", 24), "aes128": ("cbc(aes)", 16), "aes192": ("cbc(aes)", 24), "aes256": ("cbc(aes)", 32),
}  # fmt: skip
_HASHES = {
    "md5": ("hmac(md5)", 16, 96), "sha1": ("hmac(sha1)", 20, 96), "sha256": ("hmac(sha256)", 32, 128),
    "sha384": ("hmac(sha384)", 48, 192), "sha512": ("hmac(sha512)", 64, 256),
}  # fmt: skip


def load_algorithms(namespace: NetworkNamespace, proposals: Iterable[str]) -> None:
    """Have the kernel load what ESP by these proposals (strongSwan's ``3des-sha1``) takes, if it has not yet.

    The kernel looks for an algorithm's modules when the first security association with it is installed, and whoever
    installs it waits: 10 s were seen, with several at once on a kernel in user space. charon answers nothing meanwhile,
    and its peer gives up the Quick Mode (RFC 2409 §5.5) whose last message does not come. So one is installed before
    anybody waits, and taken away. What is no word of these is left to charon, which says so.
    """
    there = {line.split(": ", 1)[1] for line in ALGORITHMS.read_text().splitlines() if line.startswith("name ")}
    asked = []
    for number, proposal in enumerate(proposals, 0x100):
        cipher, _, rest = proposal.partition("-")
        if (encrypts := _CIPHERS.get(cipher)) is None or (sums := _HASHES.get(rest.split("-")[0])) is None:
            continue
        if f"authenc({sums[0]},{encrypts[0]})" in there:
            continue
        where = f"src 192.0.2.1 dst 192.0.2.2 proto esp spi {number:#x}"
        keys = f"enc {encrypts[0]} 0x{bytes(range(encrypts[1])).hex()} "
        keys += f"auth-trunc {sums[0]} 0x{bytes(range(sums[1])).hex()} {sums[2]}"
        asked += [f"xfrm state add {where} mode tunnel {keys}", f"xfrm state delete {where}"]
    if asked:
        with namespace.entered():
            subprocess.run(
                ["ip", "-force", "-batch", "-"], input="\n".join(asked), capture_output=True, text=True,
                timeout=LOAD_SECONDS, check=False,
            )  # fmt: skip


def block_clear(namespace: NetworkNamespace, own: IPv4Address, peer: IPv4Address | None, port: int) -> None:
    """Drop what is to go in clear from ``own`` address to a ``port`` of UDP at ``peer``; or from that of ``own``, where
    anybody is the peer. An association's own policy comes before it, and goes with it: without this, what was in the
    VPN goes on beside it. What comes in clear is for the rules of whoever takes it."""
    them, end = (f"{peer}/32", "dport") if peer else ("0.0.0.0/0", "sport")
    _ip(
        namespace, "policy", "update", "src", f"{own}/32", "dst", them, "proto", "udp", end, str(port),
        "dir", "out", "action", BLOCK, "priority", LAST,
    )  # fmt: skip


def _ip(namespace: NetworkNamespace, *words: str) -> str:
    with namespace.entered():
        done = subprocess.run(
            ["ip", "-oneline", "xfrm", *words], capture_output=True, text=True, timeout=BOUND_SECONDS, check=True
        )
    return done.stdout


def flush(namespace: NetworkNamespace) -> None:
    """Take away all of it."""
    for what in ("state", "policy"):
        _ip(namespace, what, "flush")


def left(namespace: NetworkNamespace) -> list[str]:
    """All of it, a line each, but what a socket of IKE's has for itself, and what :func:`block_clear` has put there."""
    lines = [line for what in ("state", "policy") for line in _ip(namespace, what, "list").splitlines()]
    return [line for line in lines if line.strip() and "socket" not in line and BLOCK not in line]
