#!/bin/sh
# pyserial 3.5 on a port of ser2net 4.3.11 that somebody else has: rfc2217:// ends in BrokenPipeError (no
# SerialException, so that `except SerialException` lets it through) and a traceback of pyserial's own reader thread on
# standard error. ser2net had said "Port already in use" in clear words; they are lost.
#
# ser2net accepts the connection, begins the Telnet negotiation, writes its line and closes; pyserial is still sending
# its options, in the caller's thread and in the reader's, and guards neither against a closed socket. To tell "busy"
# from "broken", read a plain TCP connection to the port.
#
# Seen with Debian's ser2net 4.3.11-1 and libgensio4 2.6.2-4. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download ser2net=4.3.11-1 libgensio4=2.6.2-4 libyaml-0-2 libavahi-client3 \
    libavahi-common3 libsctp1 libwrap0 libnsl2 libtirpc3 2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyserial==3.5 2>/dev/null

"$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import tty

import serial

folder = pathlib.Path(sys.argv[1])
libraries = [next(folder.glob(pattern)) for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu")]
master, slave = os.openpty()
tty.setraw(slave)
device = os.ttyname(slave)
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
(folder / "ser2net.yaml").write_text(
    f"connection: &one\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n"
    f"  connector: serialdev,{device},9600n81,local\n")
log = open(folder / "log", "w")
server = subprocess.Popen(
    [folder / "usr/sbin/ser2net", "-n", "-u", "-c", folder / "ser2net.yaml"], stdout=log, stderr=log,
    env={"LD_LIBRARY_PATH": ":".join(map(str, libraries)),
         "GENSIO_LIBRARY_PATH": str(next(folder.glob("usr/libexec/*/gensio/2.6.2")))})
url = f"rfc2217://127.0.0.1:{port}?ign_set_control"
raised, died = [], []
threading.excepthook = lambda args: died.append(f"{args.thread.name[:31]}: {args.exc_type.__name__}")
plain = b""
try:
    time.sleep(1)
    first = serial.serial_for_url(url)
    for _ in range(3):
        try:
            serial.serial_for_url(url)
            raised.append(None)
        except Exception as error:
            raised.append(error)
    with socket.create_connection(("127.0.0.1", port), timeout=3) as tcp:
        while data := tcp.recv(1000):
            plain += data
    first.close()
finally:
    server.terminate()
    server.wait()
for error in raised:
    print(f"{type(error).__name__}: {error} (SerialException: {isinstance(error, serial.SerialException)})")
print("threads that died of an exception of their own:", died)
print("a plain TCP connection reads at its end:", plain[-24:])
if (b"Port already in use" not in plain or not died or None in raised
        or all(isinstance(error, serial.SerialException) for error in raised)
        or any("in use" in str(error) for error in raised)):
    sys.exit("no longer as found")
print("as found")
PYTHON
