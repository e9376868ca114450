#!/bin/sh
# pcapng's if_tsoffset, the seconds to add to every time of an interface, is left out by scapy 2.8.0 and by
# python-pcapng 2.1.1: a file that Wireshark shows as of 2023 is of 1973 to them. dpkt 1.9.8 adds it.
#
# Nothing is raised. A probe, or a microcontroller, that writes its time since the start and puts the start into the
# option makes such files: take the option's value yourself (python-pcapng has it in interface.options).
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    scapy==2.8.0 python-pcapng==2.1.1 dpkt==1.9.8 2>/dev/null

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import io
import logging
import struct
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

import dpkt
import pcapng
from scapy.utils import rdpcap


def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


OFFSET, SINCE, PPP = 1_600_000_000, 100_000_000, 9
time, data = SINCE * 10**6, bytes.fromhex("ff03c0210901000800000000")
capture = (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
           + block(1, struct.pack("<HHI", PPP, 0, 0) + struct.pack("<HHqHH", 14, 8, OFFSET, 0, 0))
           + block(6, struct.pack("<5I", 0, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data))
seen = {
    "scapy": float(rdpcap(io.BytesIO(capture))[0].time),
    "python-pcapng": next(b.timestamp for b in pcapng.FileScanner(io.BytesIO(capture)) if hasattr(b, "packet_data")),
    "dpkt": next(time for time, _ in dpkt.pcapng.Reader(io.BytesIO(capture))),
}
print(f"second {SINCE} after {OFFSET}:", seen)
if seen != {"scapy": SINCE, "python-pcapng": SINCE, "dpkt": SINCE + OFFSET}:
    sys.exit("no longer as found")
print("as found")
PYTHON
