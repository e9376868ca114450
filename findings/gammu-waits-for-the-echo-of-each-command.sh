#!/bin/sh
# gammu 1.42.0 needs a modem that echoes. It sends ATE1 itself; where the modem has no echo all the same (an emulated
# one, say), each command after AT+MODE=2 waits nine seconds, although OK has come at once, and in the end it is "No
# response in specified timeout. Probably the phone is not connected", which sends one looking for a cable.
#
# The modem's own log shows nothing wrong: every command is there, with its answer. An emulator that gammu is to speak
# to must do what ATE1 says.
#
# The modem here is a few lines that answer OK to anything, once with an echo and once without. Seen with Debian's gammu
# 1.42.0-8. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download gammu=1.42.0-8 libgammu8=1.42.0-8 libbluetooth3 libcurl3-gnutls libglib2.0-0 \
    libgudev-1.0-0 libudev1 libusb-1.0-0 2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)

python3 - "$folder" <<'PYTHON'
import os
import pathlib
import select
import subprocess
import sys
import time
import tty

folder = pathlib.Path(sys.argv[1])
libraries = [next(folder.glob("usr/lib/*-linux-gnu")), folder / "usr/lib"]


def commands(echo, seconds=15):
    """What gammu sends within the time, and when."""
    master, slave = os.openpty()
    tty.setraw(slave)
    (folder / "gammurc").write_text(f"[gammu]\nport = {os.ttyname(slave)}\nconnection = at115200\n")
    program = subprocess.Popen(
        [folder / "usr/bin/gammu", "-c", folder / "gammurc", "identify"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={"LD_LIBRARY_PATH": ":".join(map(str, libraries)), "HOME": str(folder)})
    start, heard, sent = time.monotonic(), b"", []
    try:
        while program.poll() is None and time.monotonic() - start < seconds:
            if select.select([master], [], [], 0.2)[0]:
                heard += os.read(master, 1000)
            while b"\r" in heard:
                command, heard = heard.split(b"\r", 1)
                sent.append((round(time.monotonic() - start, 1), command.decode()))
                os.write(master, (command + b"\r" if echo else b"") + b"\r\nOK\r\n")
    finally:
        program.kill()
        program.wait()
        os.close(master)
        os.close(slave)
    print("with an echo:   " if echo else "without an echo:", *(f"{command!r} at {at}" for at, command in sent))
    return sent


echoing, silent = commands(True), commands(False)


def longest(sent):
    return max(later[0] - sooner[0] for sooner, later in zip(sent, sent[1:]))


if not ("ATE1" in dict(map(reversed, echoing)) and longest(echoing) < 2 and longest(silent) > 5):
    sys.exit("no longer as found")
print("as found")
PYTHON
