#!/bin/sh
# xl2tpd 1.3.18 as LNS: asked for a tunnel at one of its machine's addresses, it answers from another, the one that
# routing prefers towards whoever asked. RFC 2661 §8.1 speaks of an answer from another port, not from another address.
# Whoever connects their socket, or has an IPsec policy for the address that they asked, hears nothing, and xl2tpd says
# "Peer requested tunnel … twice". A VPN gateway whose public address is on lo, with a network card beside it, is such a
# machine. With listen-addr all is well.
#
# Downloads Debian's xl2tpd and libpcap0.8 with apt-get (its lists must be there: apt-get update) and unpacks them,
# installs nothing; needs root, iproute2 and python3. Seen with 1.3.18-1: "asked at 198.51.100.1, answered from
# 192.0.2.2; with listen-addr, answered from 198.51.100.1". Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
mark=$$
daemon=
clear_away() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    for side in asks asked; do ip netns del "$side$mark" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap clear_away EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download xl2tpd libpcap0.8 2>/dev/null && for package in *.deb; do dpkg -x "$package" .; done)
libraries=$(dirname "$(find "$folder" -name 'libpcap.so*' | head -n 1)")

for side in asks asked; do ip netns add "$side$mark"; done
ip -n "asks$mark" link add eth0 type veth peer name eth0 netns "asked$mark"
ip -n "asks$mark" addr add 192.0.2.1/24 dev eth0
ip -n "asked$mark" addr add 192.0.2.2/24 dev eth0
ip -n "asked$mark" addr add 198.51.100.1/32 dev lo
for side in asks asked; do
    ip -n "$side$mark" link set lo up
    ip -n "$side$mark" link set eth0 up
done
ip -n "asks$mark" route add 198.51.100.1/32 via 192.0.2.2

cat >"$folder/ask.py" <<'PYTHON'
"""A Start-Control-Connection-Request (RFC 2661 §6.1) to the second address; from where the answer to it comes."""
import socket
import struct


def avp(kind, value):
    return struct.pack("!HHH", 0x8000 | 6 + len(value), 0, kind) + value


body = avp(0, b"\0\1") + avp(2, b"\1\0") + avp(3, bytes([0, 0, 0, 3])) + avp(7, b"asks") + avp(9, b"\0\x4d") + avp(10, b"\0\4")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.bind(("192.0.2.1", 1701))
    asking.settimeout(1)
    for _ in range(20):  # it may not be listening yet
        asking.sendto(struct.pack("!HHHHHH", 0xC802, 12 + len(body), 0, 0, 0, 0) + body, ("198.51.100.1", 1701))
        try:
            print("answered from", asking.recvfrom(2000)[1][0])
            break
        except (TimeoutError, ConnectionRefusedError):
            continue
PYTHON

asked_with() {
    printf '[global]\naccess control = no\n%s\n[lns default]\nip range = 10.0.0.2-10.0.0.9\nlocal ip = 10.0.0.1\n' "$1" \
        >"$folder/configuration"
    : >"$folder/secrets"
    LD_LIBRARY_PATH=$libraries ip netns exec "asked$mark" "$folder/usr/sbin/xl2tpd" -D -c "$folder/configuration" \
        -s "$folder/secrets" -p "$folder/pid" -C "$folder/control" >"$folder/log" 2>&1 &
    daemon=$!
    ip netns exec "asks$mark" python3 "$folder/ask.py"
    kill "$daemon"
    wait "$daemon" 2>/dev/null || true
    daemon=
}

dpkg-deb -f "$folder"/xl2tpd_*.deb Version
without=$(asked_with '')
with=$(asked_with 'listen-addr = 198.51.100.1')
echo "asked at 198.51.100.1, $without; with listen-addr, $with"
[ "$without" = "answered from 192.0.2.2" ] && [ "$with" = "answered from 198.51.100.1" ]
