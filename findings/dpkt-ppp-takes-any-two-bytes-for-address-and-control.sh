#!/bin/sh
# dpkt 1.9.8: dpkt.ppp.PPP takes the first two bytes of a frame for HDLC's address and control whatever they are: a
# frame without FF 03, as after Address-and-Control-Field-Compression, of L2TP, or of a capture of link type 9 that has
# none, is read two bytes too far, without an error. IPv4 (00 21 45 00 ...) becomes protocol 0x45.
#
# RFC 1661's own frame has no such bytes; dpkt has another class of the same name for it, dpkt.pppoe.PPP, which in turn
# reads FF 03 as a protocol. Look at the two bytes, then choose.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dpkt==1.9.8 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import socket
import sys

import dpkt

ip = bytes(dpkt.ip.IP(src=socket.inet_aton("192.0.2.1"), dst=socket.inet_aton("192.0.2.2"), p=17, len=28,
                      data=dpkt.udp.UDP(sport=1, dport=2, ulen=8)))
seen = {}
for what, start in (("with FF 03", b"\xff\x03\x00\x21"), ("without", b"\x00\x21"), ("compressed protocol", b"\x21")):
    for name, layer in (("dpkt.ppp", dpkt.ppp.PPP), ("dpkt.pppoe", dpkt.pppoe.PPP)):
        try:
            frame = layer(start + ip)
            seen[what, name] = hex(frame.p), type(frame.data).__name__
        except dpkt.Error as error:
            seen[what, name] = type(error).__name__, str(error)
        print(f"{what:20} {name:11}", *seen[what, name])
if not (seen["with FF 03", "dpkt.ppp"] == seen["without", "dpkt.pppoe"] == ("0x21", "IP")
        and seen["without", "dpkt.ppp"] == ("0x45", "bytes")
        and seen["with FF 03", "dpkt.pppoe"] != ("0x21", "IP")):
    sys.exit("no longer as found")
print("as found")
PYTHON
