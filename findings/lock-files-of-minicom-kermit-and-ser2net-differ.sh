#!/bin/sh
# Three programs that lock a serial device by a file in /var/lock name the file of one and the same device in three ways, and do
# not see each other. Of /dev/pts/3: minicom 2.8 and ser2net 4.3.11 LCK..pts_3, C-Kermit LCK..3, which would be that of any
# device called 3. By a link to it, such as udev makes in /dev/serial/by-id: minicom LCK..name-of-the-link, while ser2net and
# C-Kermit follow the link.
#
# So a port that minicom has by its stable name is free to the others by any name. picocom 3.1 of Debian writes no file.
# Whoever guards a port, or looks who has it, must not go by the file alone (TIOCEXCL, or who has it open in /proc).
#
# Root is needed: the programs run in a mount namespace where /run/lock (/var/lock) is another.
# Seen with Debian's minicom 2.8-2, ckermit 402~beta08-1, ser2net 4.3.11-1, picocom 3.1-4. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download minicom=2.8-2 ckermit=402~beta08-1 picocom=3.1-4 ser2net=4.3.11-1 libgensio4=2.6.2-4 \
    libncurses6 libtinfo6 libssl3 libyaml-0-2 libavahi-client3 libavahi-common3 libsctp1 libwrap0 libnsl2 libtirpc3 \
    2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)

cat >"$folder/look.py" <<'PYTHON'
import os
import pathlib
import pty
import select
import signal
import socket
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
device, link = os.ttyname(slave), "/dev/shm/usb-Example_Modem-if00"
os.symlink(device, link)
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]


def ser2net(path):
    settings = folder / "ser2net.yaml"
    settings.write_text(f"connection: &one\n  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{path},9600n81,local\n")
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


number = device.rsplit("/", 1)[1]
names = {device: f"/dev/pts/{number}", link: "a link to it"}
seen = {}
for path in names:
    for program, words in (("minicom", ["usr/bin/minicom", "-D", path]), ("ser2net", ser2net(path)),
                           ("kermit", ["usr/bin/kermit", "-l", path]), ("picocom", ["usr/bin/picocom", path])):
        seen[program, path] = lock_files(words)
        print(f"{program:8} {names[path]:13}", *seen[program, path] or ["no file"])
whole, last = [f"LCK..pts_{number}"], [f"LCK..{number}"]
if seen != {("minicom", device): whole, ("minicom", link): ["LCK..usb-Example_Modem-if00"],
            ("ser2net", device): whole, ("ser2net", link): whole,
            ("kermit", device): last, ("kermit", link): last,
            ("picocom", device): [], ("picocom", link): []}:
    sys.exit("no longer as found")
print("as found")
PYTHON
unshare --mount sh -eu -c 'mount -t tmpfs none /run/lock && mount -t tmpfs none /dev/shm && exec python3 "$1/look.py" "$1"' sh "$folder"
