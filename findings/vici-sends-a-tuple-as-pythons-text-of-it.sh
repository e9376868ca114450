#!/bin/sh
# vici 6.0.3 (strongSwan's Python module) sends a tuple, a set or None as Python's text of it. {"proposals":
# ("aes128-sha256", "3des-sha1")} is on the wire one string, ('aes128-sha256', '3des-sha1'), and None the word "None";
# only a list is a list.
#
# Nothing is raised; it is left to the daemon to find a proposal of that name, or an address called "None". A frozen
# dataclass has tuples where one would write lists: turn them into lists, and leave out what is None. True goes as
# "True".
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check vici==6.0.3 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import socket
import struct
import sys
import threading

import vici

ours, theirs = socket.socketpair()
wire = []


def daemon():
    size, = struct.unpack("!I", theirs.recv(4))
    packet = theirs.recv(size)
    wire.append(packet[2 + packet[1]:])
    theirs.sendall(struct.pack("!IB", 1, 1))  # CMD_RESPONSE, with nothing in it


thread = threading.Thread(target=daemon)
thread.start()
vici.Session(ours).load_conn({"one": {
    "proposals": ("aes128-sha256", "3des-sha1"),
    "local_addrs": ["192.0.2.1", "192.0.2.2"],
    "remote_addrs": None,
    "mobike": True,
}})
thread.join()
print(wire[0])
expected = [b"('aes128-sha256', '3des-sha1')", b"\x09192.0.2.1\x05\x00\x09192.0.2.2", b"\x04None", b"\x04True"]
if not all(piece in wire[0] for piece in expected):
    sys.exit("no longer as found")
print("as found")
PYTHON
