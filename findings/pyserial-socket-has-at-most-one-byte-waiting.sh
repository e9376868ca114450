#!/bin/sh
# pyserial 3.5, socket://: in_waiting is 1 whenever there is anything to read, were it 500 bytes.
#
# It is the number of sockets that select() found readable. port.read(port.in_waiting), the usual way to take what has
# come, thus takes a byte a turn: right, but a thousand turns for a kilobyte; and a program that waits until four bytes
# are there waits for ever. A device counts bytes.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import os
import socket
import sys
import time
import tty

import serial

with socket.create_server(("127.0.0.1", 0)) as listener:
    port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=2)
    peer, _ = listener.accept()
    before = port.in_waiting
    peer.sendall(b"x" * 500)
    time.sleep(0.5)
    after, turns = port.in_waiting, 0
    while waiting := port.in_waiting:
        port.read(waiting)
        turns += 1
master, slave = os.openpty()
tty.setraw(slave)
device = serial.Serial(os.ttyname(slave), timeout=2)
os.write(master, b"x" * 500)
time.sleep(0.5)
print(f"socket://: {before} waiting, then, of 500 bytes, {after}; read in {turns} turns. A device: {device.in_waiting}")
if (before, after, turns, device.in_waiting) != (0, 1, 500, 500):
    sys.exit("no longer as found")
print("as found")
PYTHON
