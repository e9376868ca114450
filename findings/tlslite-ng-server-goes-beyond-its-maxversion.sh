#!/bin/sh
# tlslite-ng 0.8.2: a server whose HandshakeSettings say minVersion = maxVersion = (3, 1), TLS 1.0, speaks TLS 1.2 with
# a client that offers it by the extension supported_versions (as every client of TLS 1.3 does).
#
# The server then picks from settings.versions, another list, which has 1.0 to 1.3 unless it is set too; maxVersion
# counts for older clients alone. Whoever makes an old server for a test (a modem gateway of 2007, TLS 1.0) and sees the
# client succeed has not tested what was meant. Set settings.versions along with the two, and look at the connection's
# version.
#
# Seen with Python 3.11, OpenSSL 3.0. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tlslite-ng==0.8.2 2>/dev/null

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import socket
import ssl
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection


def negotiated(versions, offered):
    wanted = HandshakeSettings()
    wanted.minVersion = wanted.maxVersion = (3, 1)
    if versions:
        wanted.versions = versions
    ours, theirs = socket.socketpair()

    def serve():
        server = TLSConnection(theirs)
        server.handshakeServer(anon=True, settings=wanted)
        server.write(b"x")
        server.close()

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, offered
    context.set_ciphers("ADH-AES128-SHA:@SECLEVEL=0")
    client = context.wrap_socket(ours)
    client.recv(1)
    thread.join()
    print(f"server: maxVersion TLS 1.0, versions {versions or 'as they come'};",
          f"client up to {offered.name}: {client.version()}")
    return client.version()


seen = [negotiated(None, ssl.TLSVersion.TLSv1_3), negotiated(None, ssl.TLSVersion.TLSv1_2),
        negotiated([(3, 1)], ssl.TLSVersion.TLSv1_3)]
if seen != ["TLSv1.2", "TLSv1", "TLSv1"]:
    sys.exit("no longer as found")
print("as found")
PYTHON
