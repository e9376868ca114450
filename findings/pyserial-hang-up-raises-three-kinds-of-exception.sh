#!/bin/sh
# pyserial 3.5 on Linux, on a port that has hung up (the adapter is pulled out, the other end of a pseudo-terminal
# closes): read, write and baudrate raise SerialException, in_waiting and the modem lines a bare OSError, and flush,
# reset_input_buffer, reset_output_buffer and send_break raise termios.error, which is not even an OSError.
#
# So `except serial.SerialException` around a loop that looks at in_waiting does not see the end of the line, and
# `except OSError` (which has SerialException within) does not see it where the clean-up flushes first. What catches all
# of it is (OSError, termios.error).
#
# Seen with Python 3.11, Linux 6.18. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
import termios
import tty

import serial

master, slave = os.openpty()
tty.setraw(slave)
port = serial.Serial(os.ttyname(slave), timeout=1)
os.close(slave)
os.close(master)

calls = {
    "read": lambda: port.read(1),
    "write": lambda: port.write(b"AT\r"),
    "baudrate": lambda: setattr(port, "baudrate", 19200),
    "in_waiting": lambda: port.in_waiting,
    "out_waiting": lambda: port.out_waiting,
    "cd": lambda: port.cd,
    "dtr": lambda: setattr(port, "dtr", False),
    "flush": port.flush,
    "reset_input_buffer": port.reset_input_buffer,
    "reset_output_buffer": port.reset_output_buffer,
    "send_break": lambda: port.send_break(0.01),
}
seen = {}
for name, call in calls.items():
    try:
        call()
    except Exception as error:
        seen[name] = type(error)
        print(f"{name:20} {type(error).__module__}.{type(error).__name__}: {error}")
kinds = [serial.SerialException] * 3 + [OSError] * 4 + [termios.error] * 4
if list(seen.items()) != list(zip(calls, kinds)) or issubclass(termios.error, OSError):
    sys.exit("no longer as found")
print("as found")
PYTHON
