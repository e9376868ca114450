#!/bin/sh
# Linux 6.1, pppd 2.4.9: once address-and-control-field compression is agreed on, an Echo-Reply is sent without ff 03. RFC
# 1661 §6.6 has it that no LCP packet is, whatever was agreed on, so that LCP can be told from anything; ppp_async keeps to
# that for LCP's codes 1 to 7 alone, and echoes have 9 and 10. Who looks for ff 03 c0 21 on a line misses them.
#
# Downloads Debian's user-mode-linux and ppp with apt-get (its lists must be there: apt-get update) and unpacks them,
# installs nothing; needs python3, kmod and what pppd is linked with (apt-get install ppp). Seen with 6.1um4+b13 (kernel
# 6.1.176) and ppp 2.4.9-1+1.1+b1: "Configure-Ack begins ff03c021, Echo-Reply begins c0210a". Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
group=
trap 'if [ -n "$group" ]; then kill -KILL -"$group" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download user-mode-linux ppp 2>/dev/null && for deb in *.deb; do dpkg -x "$deb" .; done)
release=$(basename "$folder"/usr/lib/uml/modules/*)
mkdir -p "$folder/kernel/lib"
ln -s "$folder/usr/lib/uml/modules" "$folder/kernel/lib/modules"
depmod -b "$folder/kernel" "$release"

cat >"$folder/peer.py" <<'PYTHON'
import os, pty, select, struct, subprocess, sys, tty


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return struct.pack("<H", value ^ 0xFFFF)


def framed(code, number, data=b""):
    frame = b"\xff\x03\xc0\x21" + struct.pack("!BBH", code, number, len(data) + 4) + data
    whole = frame + crc(frame)
    return b"~" + b"".join(bytes([0x7D, b ^ 32]) if b < 32 or b in b"}~" else bytes([b]) for b in whole) + b"~"


def frames(data):
    for raw in data.split(b"~"):
        first, *rest = raw.split(b"}")
        frame = first + b"".join(bytes([piece[0] ^ 32]) + piece[1:] for piece in rest if piece)
        if len(frame) > 6:
            yield frame[:-2]


master, slave = pty.openpty()
tty.setraw(slave)
words = [sys.argv[1], os.ttyname(slave), "local", "nodetach", "noauth", "nolock", "nodefaultroute", "10.1.0.1:10.1.0.2"]
pppd = subprocess.Popen(words, stdout=subprocess.DEVNULL)
heard, begins, asked = b"", {}, False
while "Echo-Reply" not in begins and select.select([master], [], [], 10)[0]:
    heard += os.read(master, 4096)
    whole, _, heard = heard.rpartition(b"~")
    for frame in frames(whole):
        bare = frame[2:] if frame[:2] == b"\xff\x03" else frame
        if bare[:2] != b"\xc0\x21":
            continue
        code, number, data = bare[2], bare[3], bare[6:]
        if code == 1 and not asked:
            asked = True
            os.write(master, framed(2, number, data) + framed(1, 1, b"\x08\x02"))  # ours: ACFC
        if code == 2:
            begins["Configure-Ack"] = frame[:4].hex()
            os.write(master, framed(9, 2, bytes(4)))
        if code == 10:
            begins["Echo-Reply"] = frame[:3].hex()
pppd.kill()
print(", ".join(f"{name} begins {octets}" for name, octets in begins.items()), flush=True)
print("as found" if begins == {"Configure-Ack": "ff03c021", "Echo-Reply": "c0210a"} else "no longer as found", flush=True)
PYTHON

cat >"$folder/init" <<INIT
#!/bin/sh
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/ppp /run/pts
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
touch /run/ppp/options
mount --bind /run/ppp /etc/ppp
modprobe -d "$folder/kernel" ppp_async
python3 "$folder/peer.py" "$folder/usr/sbin/pppd" 2>&1
echo ended
while :; do sleep 10; done
INIT
chmod 755 "$folder/init"

: >"$folder/console"
HOME=$folder setsid "$folder/usr/bin/linux.uml" rootfstype=hostfs rootflags=/ ro mem=256M "init=$folder/init" \
    con=null con0=null,fd:1 quiet </dev/null >"$folder/console" 2>&1 &
tries=0
until grep -q '^ended' "$folder/console"; do
    tries=$((tries + 1))
    [ "$tries" -le 900 ] || { echo "the guest did not end within 90 s" >&2; tail -n 20 "$folder/console" >&2; exit 2; }
    sleep 0.1
done
group=$(pgrep -o -f "$folder/usr/bin/linux.uml")
echo "kernel $("$folder/usr/bin/linux.uml" --version), ppp $(dpkg-deb -f "$folder"/ppp_*.deb Version)"
grep -a 'begins\|found' "$folder/console" | tr -d '\r'
grep -q '^as found' "$folder/console"
