#!/bin/sh
# dpkt 1.9.8: dpkt.pcapng.Reader takes link type and resolution of time from the first interface of a file for every
# packet: in a capture of Ethernet (microseconds) and PPP (nanoseconds), PPP frames are said to be Ethernet, 53,000
# years later.
#
# A pcapng file has an Interface Description Block for each interface, and each packet the number of its own; dumpcap on
# two interfaces, and mergecap, write such files. Nothing is raised, and the reader does not tell the number. scapy and
# python-pcapng read each packet as of its own interface.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dpkt==1.9.8 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import io
import struct
import sys

import dpkt


def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def packet(interface, time, data):
    return block(6, struct.pack("<5I", interface, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data)


ETHERNET, PPP, SECONDS = 1, 9, 1_700_000_000
NANOSECONDS = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)  # the option if_tsresol, and the end of options
capture = (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
           + block(1, struct.pack("<HHI", ETHERNET, 0, 0)) + block(1, struct.pack("<HHI", PPP, 0, 0) + NANOSECONDS)
           + packet(0, SECONDS * 10**6, bytes(12) + b"\x88\xb5" + bytes(2))
           + packet(1, SECONDS * 10**9, bytes.fromhex("ff03c02109010008 00000000")))
reader = dpkt.pcapng.Reader(io.BytesIO(capture))
times = [time for time, _ in reader]
print(f"link type {reader.datalink()}; both packets are of second {SECONDS}, and read as of {times}")
if reader.datalink() != ETHERNET or times != [SECONDS, SECONDS * 1000]:
    sys.exit("no longer as found")
print("as found")
PYTHON
