"""The one-time credentials of an inbound call, derived from the PPP address.

The paper says only that they are "based on the value the client entered into the PPP address field" (§2.2.1). Here
the user is that address, and the secret is HMAC-SHA256 over what follows, keyed with the bench's key, its first
16 bytes in base 32, lower case, without padding:

    "rig inbound call 1" NUL  the address, four bytes  the arming's serial, as it is written

The serial is drawn when the call is armed, so that no arming's secret is another's. With the key "example key",
the address 10.253.0.1 and the serial 00112233445566778899aabbccddeeff the secret is
``m3w6k7tshbvtjatcvb756ok36e``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from ipaddress import IPv4Address

from rig.drivers.base.secret import Secret

PURPOSE = b"rig inbound call 1\0"
BYTES = 16


def derive(key: str, address: IPv4Address, serial: str) -> Secret:
    """Whom to let in: the user, and the one-time secret of the arming with that serial."""
    digest = hmac.new(key.encode(), PURPOSE + address.packed + serial.encode(), hashlib.sha256).digest()
    return Secret(str(address), base64.b32encode(digest[:BYTES]).decode().rstrip("=").lower())
