#!/bin/sh
# pyserial 3.5: where the line hangs up during read(100), SerialException is raised and what had already come is gone:
# the NO CARRIER, or the last line of a log, that was written just before the end is never seen. So on devices and on
# socket://.
#
# read() gathers in a buffer of its own until it has all 100 bytes or the time is over, and throws it away when it meets
# the end. read(1), or read(in_waiting or 1), loses nothing, and read_until, which reads by single bytes, loses all of
# its own.
#
# Seen with Python 3.11, Linux 6.18. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import os
import socket
import sys
import threading
import time
import tty

import serial

SENT = b"\r\nNO CARRIER\r\n"


def speak_and_hang_up(write, close):
    time.sleep(0.3)
    write(SENT)
    time.sleep(0.3)
    close()


def received(kind, read):
    """What the reader sees until the port says that it is at its end."""
    if kind == "device":
        master, slave = os.openpty()
        tty.setraw(slave)
        port = serial.Serial(os.ttyname(slave), timeout=3)
        os.close(slave)
        write, close = lambda data: os.write(master, data), lambda: os.close(master)
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=3)
            peer, _ = listener.accept()
        write, close = peer.sendall, peer.close
    thread = threading.Thread(target=speak_and_hang_up, args=(write, close))
    thread.start()
    heard = b""
    try:
        while True:
            heard += read(port)
    except serial.SerialException as error:
        print(f"{kind}: {heard}, then SerialException: {error}")
    thread.join()
    port.close()
    return heard


found = []
for kind in ("device", "socket"):
    found.append(received(kind, lambda port: port.read(1)) == SENT)
    found.append(received(kind, lambda port: port.read(100)) == b"")
    found.append(received(kind, lambda port: port.read_until(b"OK\r\n")) == b"")
if not all(found):
    sys.exit("no longer as found")
print("as found")
PYTHON
