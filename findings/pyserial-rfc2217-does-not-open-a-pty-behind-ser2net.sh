#!/bin/sh
# pyserial 3.5 does not open rfc2217:// on ser2net 4.3.11 where the device behind it has no modem lines (a
# pseudo-terminal, as of an emulated modem): "timeout while waiting for option 'control'", three seconds later, which
# says nothing of lines.
#
# pyserial sets DTR and RTS as it opens and waits for an answer to each; ser2net does not answer at all where the line
# could not be set. pyserial leaves DTR alone with dsrdtr and RTS with rtscts, so either of them alone is not enough: it
# opens with both (whatever the flow control ought to be), or with ?ign_set_control at the end of the URL.
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


def opens(query="", **options):
    start = time.monotonic()
    try:
        serial.serial_for_url(f"rfc2217://127.0.0.1:{port}{query}", **options).close()
        said = "opened"
    except serial.SerialException as error:
        said = str(error)
    print(f"{query or ', '.join(options) or 'as it comes':18} {time.monotonic() - start:.1f} s: {said}", flush=True)
    time.sleep(0.5)
    return said


try:
    time.sleep(1)
    refused = [opens(), opens(rtscts=True), opens(dsrdtr=True)]
    opened = [opens(rtscts=True, dsrdtr=True), opens("?ign_set_control")]
finally:
    server.terminate()
    server.wait()
if refused != ["timeout while waiting for option 'control'"] * 3 or opened != ["opened"] * 2:
    sys.exit("no longer as found")
print("as found")
PYTHON
