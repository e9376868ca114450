#!/bin/sh
# pyserial 3.5, rfc2217://: a speed that the server does not take raises ValueError, not SerialException, the port's
# baudrate says the refused speed from then on, and every later change, of the word size for one, raises the same about
# the speed.
#
# The server answers with the speed that the device has (RFC 2217 has it so), which pyserial only holds against what it
# asked for. The attribute is set before the question is asked and not set back; whoever reads it to report the speed of
# a line, or retries at a lower one with `except SerialException`, is misled. Setting the old speed again mends the
# port.
#
# The server here is a few lines: it accepts everything and answers a speed above 115200 with 115200. Seen with Python
# 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import socket
import sys
import threading

import serial

IAC, SB, SE, WILL, DO, COM_PORT, BINARY = (bytes([code]) for code in (255, 250, 240, 251, 253, 44, 0))


def serve(listener):
    client, _ = listener.accept()
    client.sendall(IAC + DO + COM_PORT + IAC + WILL + COM_PORT + IAC + DO + BINARY)
    heard = b""
    while data := client.recv(1000):
        heard += data
        while (end := heard.find(IAC + SE)) >= 0:
            start = heard.find(IAC + SB)
            command, value, heard = heard[start + 3], heard[start + 4:end], heard[end + 2:]
            if command == 1:  # SET-BAUDRATE
                value = min(int.from_bytes(value, "big"), 115200).to_bytes(4, "big")
            client.sendall(IAC + SB + COM_PORT + bytes([100 + command]) + value + IAC + SE)


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
port = serial.serial_for_url(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", baudrate=9600)


def change(**settings):
    (name, value), = settings.items()
    try:
        setattr(port, name, value)
        said = None
    except Exception as error:
        said = error
    print(f"{name} = {value}: {'no error' if said is None else repr(said)}; baudrate reads {port.baudrate}")
    return said


speed, size, again, mended = change(baudrate=230400), change(bytesize=7), change(baudrate=9600), change(bytesize=7)
port.baudrate = 9600
refused = "remote rejected value for option 'baudrate'"
if not (type(speed) is type(size) is ValueError and str(speed) == str(size) == refused and again is mended is None):
    sys.exit("no longer as found")
change(baudrate=230400)
if port.baudrate != 230400:
    sys.exit("no longer as found")
port.close()
print("as found")
PYTHON
