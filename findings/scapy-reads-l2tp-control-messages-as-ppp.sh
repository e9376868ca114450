#!/bin/sh
# scapy 2.8.0 dissects what follows an L2TPv2 header as PPP in control messages too, where RFC 2661 has AVPs: an SCCRQ
# is shown as a PPP frame of protocol 32776, which is the first two bytes of its Message Type AVP (0x8008: mandatory, 8
# bytes).
#
# So `PPP in packet` is true of every control message with AVPs, and a filter for the PPP of a call also catches the
# tunnel's own HELLO and StopCCN. Ask packet[L2TP].hdr for "control" first. The AVPs are to be taken apart by hand.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scapy==2.8.0 2>/dev/null

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.l2tp import L2TP
from scapy.layers.ppp import PPP


def avp(number, value):
    return (0x8000 | 6 + len(value)).to_bytes(2, "big") + bytes(2) + number.to_bytes(2, "big") + value


avps = avp(0, b"\0\1") + avp(2, b"\1\0") + avp(3, b"\0\0\0\3") + avp(7, b"lac") + avp(9, b"\0\7")
message = b"\xc8\x02" + (12 + len(avps)).to_bytes(2, "big") + bytes(8) + avps  # SCCRQ, tunnel 0, Ns 0, Nr 0
packet = L2TP(message)
print(packet.summary(), "hdr:", packet.hdr, "PPP:", repr(packet[PPP]) if PPP in packet else None)
if "control" not in str(packet.hdr) or PPP not in packet or packet[PPP].proto != 0x8008:
    sys.exit("no longer as found")
print("as found")
PYTHON
