#!/bin/sh
# tlslite-ng 0.8.2 in TLS 1.0 with a CBC suite sends application data as two records, the first of which has one byte: a
# peer that reads once gets one byte of the answer, whatever it is written in. In TLS 1.1 and later it gets all of it.
#
# Nothing is wrong with it: it is the usual protection of TLS 1.0, and a stream has no borders. But an old client that
# is emulated, or tested, is often one that reads once and looks for "HTTP/1.1 200" at the beginning. Read until the
# header is whole. OpenSSL 3 as the peer passes the two on as they come as well.
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

ANSWER = b"HTTP/1.1 200 OK\r\n\r\n"


def settings(version):
    wanted = HandshakeSettings()
    wanted.minVersion = wanted.maxVersion = version
    wanted.versions = [version]
    wanted.cipherNames = ["aes128"]
    return wanted


def serve(end, version):
    server = TLSConnection(end)
    server.handshakeServer(anon=True, settings=settings(version))
    server.write(ANSWER)
    server.close()


def first_reads(version, peer):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(theirs, version))
    thread.start()
    if peer == "tlslite-ng":
        client = TLSConnection(ours)
        client.handshakeClientAnonymous(settings=settings(version))
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ADH-AES128-SHA:@SECLEVEL=0")
        client = context.wrap_socket(ours)
    seen = [client.recv(1000), client.recv(1000)]
    thread.join()
    print(f"TLS 1.{version[1] - 1}, {peer} reads twice: {seen}")
    return seen


found = [first_reads((3, 1), peer) == [ANSWER[:1], ANSWER[1:]] for peer in ("tlslite-ng", "OpenSSL")]
found += [first_reads(version, "tlslite-ng")[0] == ANSWER for version in ((3, 2), (3, 3))]
if not all(found):
    sys.exit("no longer as found")
print("as found")
PYTHON
