#!/bin/sh
# dnsmasq 2.90 without an upstream answers REFUSED, not "no data", to AAAA for a name that it has only as A
# (host-record), and REFUSED, not NXDOMAIN, to every name that it does not have.
#
# glibc's getaddrinfo takes REFUSED for a passing trouble of the server: EAI_AGAIN ("Temporary failure in name
# resolution"), so that a program which asks for AF_INET6 on its own tries again and again, and a test which expects "no
# such name" of a closed network sees an outage instead. With --local=/#/ dnsmasq says what it means.
#
# Root is needed: the script makes a network and a mount namespace for itself, where dnsmasq has port 53 and
# /etc/resolv.conf is another. Seen with Debian's 2.90-4~deb12u2 and glibc 2.36. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download dnsmasq-base=2.90-4~deb12u2 2>/dev/null && dpkg -x dnsmasq-base_*.deb .)
echo "nameserver 127.0.0.1" >"$folder/resolv.conf"
echo "hosts: dns" >"$folder/nsswitch.conf"

cat >"$folder/ask.py" <<'PYTHON'
import socket
import struct
import subprocess
import sys
import time

CODES = {0: "NOERROR", 3: "NXDOMAIN", 5: "REFUSED"}


def ask(name, kind):
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(3)
        udp.connect(("127.0.0.1", 53))
        udp.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + question + struct.pack(">2H", kind, 1))
        answer = udp.recv(512)
    return f"{CODES.get(answer[3] & 15, answer[3] & 15)}, {struct.unpack('>H', answer[6:8])[0]} records"


def glibc(name, family):
    try:
        return f"{len(socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM))} addresses"
    except socket.gaierror as error:
        names = {socket.EAI_AGAIN: "EAI_AGAIN", socket.EAI_NONAME: "EAI_NONAME", socket.EAI_NODATA: "EAI_NODATA"}
        return names.get(error.errno, str(error.errno))


def answers(*options):
    server = subprocess.Popen(
        [sys.argv[1], "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
         "--pid-file=", "--listen-address=127.0.0.1", "--host-record=service.example,192.0.2.1", *options])
    try:
        for _ in range(50):
            try:
                ask("service.example", 1)
                break
            except OSError:
                time.sleep(0.1)
        seen = {}
        for name in ("service.example", "other.example"):
            for kind, number, family in (("A", 1, socket.AF_INET), ("AAAA", 28, socket.AF_INET6)):
                seen[name, kind] = ask(name, number), glibc(name, family)
                print(f"{' '.join(options) or 'no option':12} {name:16} {kind:5}", *seen[name, kind], sep="  ")
        return seen
    finally:
        server.terminate()
        server.wait()


plain, local = answers(), answers("--local=/#/")
refused, no_name = ("REFUSED, 0 records", "EAI_AGAIN"), ("NXDOMAIN, 0 records", "EAI_NONAME")
if not (plain["service.example", "A"][0] == local["service.example", "A"][0] == "NOERROR, 1 records"
        and plain["service.example", "AAAA"] == plain["other.example", "A"] == plain["other.example", "AAAA"] == refused
        and local["service.example", "AAAA"][0] == "NOERROR, 0 records"
        and local["other.example", "A"] == local["other.example", "AAAA"] == no_name):
    sys.exit("no longer as found")
print("as found")
PYTHON
# shellcheck disable=SC2016  # the inner shell expands it
unshare --net --mount sh -eu -c '
    ip link set lo up
    mount --bind "$1/resolv.conf" /etc/resolv.conf
    mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
    exec python3 "$1/ask.py" "$1/usr/sbin/dnsmasq"
' sh "$folder"
