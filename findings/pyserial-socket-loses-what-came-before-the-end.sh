#!/bin/sh
# pyserial 3.5, socket://: where the peer sends and then closes, read(100) raises SerialException and what had come is gone:
# the NO CARRIER, or the last line of a log, that was written just before the end is never seen.
#
# read() gathers in a buffer of its own until it has all 100 bytes or the time is over, and throws it away when it meets the
# end. On a device, and over rfc2217://, the same read returns the bytes first. read(1), or read(in_waiting or 1), loses
# nothing.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import socket
import sys

import serial

SENT = b"\r\nNO CARRIER\r\n"


def received(size):
    """What is read in pieces of that size until the port says that it is at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=2)
        peer, _ = listener.accept()
        peer.sendall(SENT)
        peer.close()
        heard = b""
        try:
            while True:
                heard += port.read(size)
        except serial.SerialException as error:
            print(f"read({size}): {heard}, then SerialException: {error}")
        port.close()
        return heard


if received(1) != SENT or received(100) != b"":
    sys.exit("no longer as found")
print("as found")
PYTHON
