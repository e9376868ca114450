#!/bin/sh
# Wireshark 4.0 opens what pppd's option `record` writes, but leaves the frame check sequence in each packet, two bytes
# more at its end, and as it comes does not check it: a frame spoilt on the line looks like a good one. pppdump -p of
# the same file takes the two bytes off and says BAD FCS.
#
# They are still there after a conversion to pcap, of link type 204, where nothing says so, and scapy has them for
# padding. Wireshark checks them once told: -o ppp.fcs_type:16-Bit.
#
# The record here has two frames, the second with one bit turned over. Seen with Debian's wireshark-common
# 4.0.17-0+deb12u3 (editcap) and ppp 2.4.9-1+1.1+b1. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download wireshark-common=4.0.17-0+deb12u3 libwiretap13=4.0.17-0+deb12u3 \
    libwsutil14=4.0.17-0+deb12u3 libglib2.0-0 ppp=2.4.9-1+1.1+b1 2>/dev/null &&
    for file in *.deb; do dpkg -x "$file" .; done)
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

python3 - "$folder/record" <<'PYTHON'
import struct
import sys


def fcs(frame):
    rest = 0xFFFF
    for byte in frame:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x8408 if rest & 1 else 0)
    return struct.pack("<H", rest ^ 0xFFFF)


def on_the_line(frame):
    escaped = (bytes([125, byte ^ 32]) if byte < 32 or byte in (125, 126) else bytes([byte]) for byte in frame)
    return b"~" + b"".join(escaped) + b"~"


def record(tag, data):
    return struct.pack(">BH", tag, len(data)) + data


request = bytes.fromhex("ff03 c021 0101000a 050612345678")  # LCP Configure-Request with a magic number
spoilt = request[:-1] + bytes([request[-1] ^ 1])
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack(">BI", 7, 1_700_000_000))  # the time of the start
    file.write(record(1, on_the_line(request + fcs(request))))  # sent
    file.write(record(2, on_the_line(spoilt + fcs(request))))  # received
PYTHON
"$folder/usr/sbin/pppdump" -p "$folder/record" | tee "$folder/dump"
"$folder/usr/bin/editcap" -F pcap "$folder/record" "$folder/pcap"
python3 - "$folder/pcap" "$folder/dump" <<'PYTHON'
import struct
import sys

with open(sys.argv[1], "rb") as file:
    capture = file.read()
with open(sys.argv[2]) as file:
    dump = file.read()
link_type, = struct.unpack_from("<I", capture, 20)
packets, at = [], 24
while at < len(capture):
    length, = struct.unpack_from("<I", capture, at + 8)
    packets.append(capture[at + 16:at + 16 + length])
    at += 16 + length
print(f"editcap's pcap: link type {link_type}", *(packet.hex(" ") for packet in packets), sep="\n")
frame = bytes.fromhex("ff03c0210101000a0506123456")
if (link_type != 204 or dump.count("BAD FCS") != 1 or len(packets) != 2
        or packets[0][:-3] != b"\1" + frame or packets[1][:-3] != b"\0" + frame or packets[0][-2:] != packets[1][-2:]):
    sys.exit("no longer as found")
print("as found")
PYTHON
