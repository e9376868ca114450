"""What TLS is acceptable (hw-config/tls), as data: read with every bench, and so without what speaks TLS."""

from __future__ import annotations

import re
from typing import Literal

from rig.drivers.base.tables import Table

TLSLITE_CIPHERS = {"RC4-128": ["rc4"], "AES-128": ["aes128", "aes128gcm"], "AES-256": ["aes256", "aes256gcm"]}
TLSLITE_VERSIONS = {"TLS 1.0": (3, 1), "TLS 1.1": (3, 2), "TLS 1.2": (3, 3), "TLS 1.3": (3, 4)}


class Policy(Table, frozen=True):
    """What is acceptable. ``ciphers``: see :func:`cipher_of`; ``keys``: the fewest bits, by the kind of key."""

    source: str
    spoken_by: Literal["openssl", "tlslite-ng"]
    versions: tuple[str, ...]
    ciphers: tuple[str, ...]
    keys: dict[str, int]


def cipher_of(suite: str) -> str:
    """The bulk cipher of a suite, IANA's name or OpenSSL's: RC4-128, AES-128, AES-256, CHACHA20, 3DES or the suite."""
    for pattern, name in (("RC4", "RC4-128"), ("AES_?-?128", "AES-128"), ("AES_?-?256", "AES-256"),
                          ("CHACHA20", "CHACHA20"), ("3DES|DES-CBC3", "3DES")):  # fmt: skip
        if re.search(pattern, suite):
            return name
    return suite


def describe(policy: Policy) -> str:
    """A policy in one line."""
    keys = ", ".join(f"{kind} of {bits} bits" for kind, bits in policy.keys.items())
    return f"{' or '.join(policy.versions)}; {' or '.join(policy.ciphers)}; {keys} or more"
