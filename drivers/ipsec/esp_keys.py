"""The keys of every security association that a namespace's kernel is given, as Wireshark takes them to read ESP (its
table esp_sa). For who asks for them: with these, everybody reads what the VPN has carried."""

from __future__ import annotations

import os
import re

from rig.drivers.base.program import Program, find
from rig.drivers.net.namespace import NetworkNamespace

STOP_SECONDS = 5.0
CIPHERS = {"cbc(des3_ede)": "TripleDES-CBC [RFC2451]", "cbc(aes)": "AES-CBC [RFC3602]"}
HASHES = {
    "hmac(md5)": "HMAC-MD5-96 [RFC2403]", "hmac(sha1)": "HMAC-SHA-1-96 [RFC2404]",
    "hmac(sha256)": "HMAC-SHA-256-128 [RFC4868]",
}  # fmt: skip
"""The kernel's names, and Wireshark's."""
ENDS = re.compile(r"src (\S+) dst (\S+)")
SPI = re.compile(r"proto esp spi (0x[0-9a-f]+)")
AUTHENTICATION = re.compile(r"auth(?:-trunc)? (\S+) (0x[0-9a-f]+)")
ENCRYPTION = re.compile(r"enc (\S+) (0x[0-9a-f]+)")


class EspKeys:
    """From when it is made until :meth:`stop`; what was there before is not told."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._lines: list[str] = []
        with namespace.entered():
            # Its output goes where a Program's messages go.
            self._program = Program(
                find("ip", "iproute2"), ("xfrm", "monitor", "SA"),
                line=self._lines.append, prepare=lambda: os.dup2(2, 1),  # type: ignore[arg-type]
            )  # fmt: skip

    def table(self) -> list[str]:
        """Lines of esp_sa, in the order in which the associations came."""
        return table(self._lines)

    def stop(self) -> None:
        self._program.stop(STOP_SECONDS)


def table(lines: list[str]) -> list[str]:
    """From what ``ip xfrm monitor`` says: an association begins with its ends, and what follows is indented. One of an
    algorithm that Wireshark has another name for, which we do not know, has the kernel's, and is to be named by hand.
    """
    found: dict[tuple[str, str, str], str] = {}
    ends = spi = authentication = None
    for line in lines:
        if not line.startswith(("\t", " ")):
            ends, spi, authentication = ENDS.search(line), None, None
        elif ends is None:
            continue
        elif (named := SPI.search(line)) is not None:
            spi = named[1]
        elif (named := AUTHENTICATION.search(line)) is not None:
            authentication = named
        elif (named := ENCRYPTION.search(line)) is not None and spi is not None and authentication is not None:
            words = (
                "IPv4", ends[1], ends[2], spi, CIPHERS.get(named[1], named[1]), named[2],
                HASHES.get(authentication[1], authentication[1]), authentication[2],
            )  # fmt: skip
            found[ends[1], ends[2], spi] = ",".join(f'"{word}"' for word in words)
    return list(found.values())
