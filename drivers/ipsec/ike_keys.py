"""The keys of every ISAKMP SA that charon makes, as Wireshark takes them to read IKEv1 (its table
ikev1_decryption_table). For who asks for them: with these, everybody reads what was agreed on.

charon writes them into a log at its level 4, the one for secrets, and there alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LOG = "default = -1\n ike = 4\n mgr = 2\n ike_name = yes\n flush_line = yes\n"
"""What such a log has, as strongswan.conf(5) says it: whose cookies an SA has, and its keys."""
COOKIES = re.compile(r"<[^|>]*\|(\d+)> checkin IKEv1 SA .* with SPIs ([0-9a-f]{16})_i")
KEY = re.compile(r"<[^|>]*\|(\d+)> encryption key Ka => (\d+) bytes")
"""RFC 2409 appendix B calls it Ka."""
OCTETS = re.compile(r"<[^|>]*\|(\d+)> +\d+: ((?:[0-9A-F]{2} ?)+)")
"""Sixteen to a line, and behind two spaces as characters."""


def table(lines: Iterable[str]) -> list[str]:
    """Lines of ikev1_decryption_table, in the order in which the SAs got their keys: the initiator's cookie and the
    key, in hexadecimal. One whose cookie is not said is left out."""
    cookies: dict[str, str] = {}
    keys: dict[str, str] = {}
    wanted: dict[str, int] = {}
    for line in lines:
        if (named := COOKIES.search(line)) is not None:
            cookies[named[1]] = named[2]
        elif (named := KEY.search(line)) is not None:
            wanted[named[1]], keys[named[1]] = 2 * int(named[2]), ""
        elif (named := OCTETS.search(line)) is not None and len(keys.get(named[1], "")) < wanted.get(named[1], 0):
            keys[named[1]] += named[2].replace(" ", "").lower()
    return [f"{cookies[sa]},{key}" for sa, key in keys.items() if sa in cookies and len(key) == wanted[sa]]
