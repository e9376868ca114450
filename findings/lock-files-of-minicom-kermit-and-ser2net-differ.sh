#!/bin/sh
# Programs that lock a serial device by a file in /var/lock do not all name the file of one device alike. They agree on
# /dev/ttyUSB0: LCK..ttyUSB0. By udev's link to it, /dev/serial/by-id/NAME, minicom 2.8 and ser2net 4.3.11 write
# LCK..serial_by-id_NAME, but C-Kermit follows the link and writes LCK..ttyUSB0; of /dev/pts/3 minicom writes
# LCK..pts_3, C-Kermit LCK..3, and ser2net none.
#
# So by these files a port that minicom has under its stable name is free to minicom itself under the other, and two
# settings that name one modem in two ways do not exclude each other. picocom 3.1 of Debian writes no file at all.
# Whoever guards a port, or looks who has it, must not go by the file alone: resolve the name first, and ask for
# TIOCEXCL, or who has it open in /proc.
#
# Root is needed: the programs run in a mount namespace whose /run/lock and /dev are others; ttyUSB0 there is a
# pseudo-terminal. Seen with Debian's minicom 2.8-2, ckermit 402~beta08-1, ser2net 4.3.11-1, picocom 3.1-4. Exit status
# 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download minicom=2.8-2 ckermit=402~beta08-1 picocom=3.1-4 ser2net=4.3.11-1 \
    libgensio4=2.6.2-4 libncurses6 libtinfo6 libssl3 libyaml-0-2 libavahi-client3 libavahi-common3 libsctp1 \
    libwrap0 libnsl2 libtirpc3 \
    2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)

cat >"$folder/look.py" <<'PYTHON'
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import tty

folder = pathlib.Path(sys.argv[1])
locks = pathlib.Path("/run/lock")
libraries = [next(folder.glob(pattern)) for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu")]
os.environ.update(
    LD_LIBRARY_PATH=":".join(map(str, libraries)), HOME=str(folder), TERM="xterm",
    GENSIO_LIBRARY_PATH=str(next(folder.glob("usr/libexec/*/gensio/2.6.2"))))
master, slave = os.openpty()
tty.setraw(slave)
terminal, device, link = os.ttyname(slave), "/dev/ttyUSB0", "/dev/serial/by-id/usb-Example_Modem-if00"
subprocess.run(["mount", "--bind", terminal, device], check=True)
os.symlink("../../ttyUSB0", link)
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]


def ser2net(path):
    settings = folder / "ser2net.yaml"
    settings.write_text(f"connection: &one\n  accepter: tcp,127.0.0.1,{port}\n"
                        f"  connector: serialdev,{path},9600n81,local\n")
    return ["usr/sbin/ser2net", "-n", "-c", str(settings)]


def lock_files(words):
    """The lock files while the program, on a terminal of its own, has the device."""
    pid, screen = pty.fork()
    if not pid:
        os.execv(folder / words[0], words)
    client, found, until = None, [], time.monotonic() + 5
    while not found and time.monotonic() < until:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                os.read(screen, 4096)
            except OSError:
                break
        if "ser2net" in words[0] and client is None:  # it opens the device as somebody connects
            try:
                client = socket.create_connection(("127.0.0.1", port))
            except OSError:
                continue
        found = sorted(path.name for path in locks.iterdir())
    if client:
        client.close()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(screen)
    for path in locks.iterdir():
        path.unlink()
    return found


programs = {
    "minicom": lambda path: ["usr/bin/minicom", "-D", path],
    "ser2net": ser2net,
    "kermit": lambda path: ["usr/bin/kermit", "-l", path],
    "picocom": lambda path: ["usr/bin/picocom", path],
}
seen = {}
for program, words in programs.items():
    seen[program] = [lock_files(words(path)) for path in (device, link, terminal)]
    for path, files in zip((device, link, terminal), seen[program]):
        print(f"{program:8} {path:42}", *files or ["no file"])
number = terminal.rsplit("/", 1)[1]
plain, by_id = ["LCK..ttyUSB0"], ["LCK..serial_by-id_usb-Example_Modem-if00"]
if seen != {"minicom": [plain, by_id, [f"LCK..pts_{number}"]], "ser2net": [plain, by_id, []],
            "kermit": [plain, plain, [f"LCK..{number}"]], "picocom": [[], [], []]}:
    sys.exit("no longer as found")
print("as found")
PYTHON
# shellcheck disable=SC2016  # the inner shell expands it
unshare --mount sh -eu -c '
    mount -t tmpfs none /run/lock
    mkdir "$1/dev"
    mount -t tmpfs none "$1/dev"
    mkdir -p "$1/dev/pts" "$1/dev/serial/by-id"
    for node in null zero random urandom tty; do
        : >"$1/dev/$node"
        mount --bind "/dev/$node" "$1/dev/$node"
    done
    mount --rbind /dev/pts "$1/dev/pts"
    ln -s pts/ptmx "$1/dev/ptmx"
    : >"$1/dev/ttyUSB0"
    mount --move "$1/dev" /dev
    exec python3 "$1/look.py" "$1"
' sh "$folder"
