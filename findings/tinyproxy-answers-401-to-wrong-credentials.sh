#!/bin/sh
# tinyproxy 1.11.1 with BasicAuth answers a CONNECT without credentials with 407 and Proxy-Authenticate, as RFC 7235 §3.2
# and §4.3 have it; one with wrong credentials it answers with 401 and WWW-Authenticate. That is a server's word (§3.1,
# §4.1), and no server has been asked.
#
# A client that asks its user again at 407 does not ask again, and who reads a log looks for an account of the server's:
# Python's http.client says "Tunnel connection failed: 401 Unauthorized". squid answers both with 407.
#
# Seen with Debian's tinyproxy-bin 1.11.1-2.1+deb12u1. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download tinyproxy-bin=1.11.1-2.1+deb12u1 2>/dev/null && dpkg -x tinyproxy-bin_*.deb .)

python3 - "$folder/usr/bin/tinyproxy" "$folder/tinyproxy.conf" <<'PYTHON'
import base64
import http.client
import socket
import subprocess
import sys
import time

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(sys.argv[2], "w") as settings:
    settings.write(f"Port {port}\nListen 127.0.0.1\nTimeout 10\nBasicAuth console secret\nConnectPort 443\n")
proxy = subprocess.Popen([sys.argv[1], "-d", "-c", sys.argv[2]], stdout=subprocess.DEVNULL)


def answer(credentials=None):
    said = "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n"
    if credentials:
        said += f"Proxy-Authorization: Basic {base64.b64encode(credentials.encode()).decode()}\r\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        connection.sendall(said.encode() + b"\r\n")
        head = b""
        while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
            head += part
    lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    names = {line.partition(":")[0].lower() for line in lines[1:]}
    return lines[0].split()[1], sorted(names & {"proxy-authenticate", "www-authenticate"})


try:
    for _ in range(50):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    without, wrong = answer(), answer("console:guess")
    print("without credentials:", *without)
    print("with wrong ones:    ", *wrong)
    tunnel = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    tunnel.set_tunnel("192.0.2.1", 443, {"Proxy-Authorization": "Basic " + base64.b64encode(b"console:guess").decode()})
    try:
        tunnel.connect()
        said = "connected"
    except OSError as error:
        said = str(error)
    print("http.client:        ", said)
finally:
    proxy.terminate()
    proxy.wait()
if (without, wrong) != (("407", ["proxy-authenticate"]), ("401", ["www-authenticate"])) or "401" not in said:
    sys.exit("no longer as found")
print("as found")
PYTHON
