#!/bin/sh
# Linux 6.1: two PPP channels that are both L2TP sessions over UDP, joined in the kernel (PPPIOCBRIDGECHAN), lose what came
# in over a veth. A veth leaves a datagram's checksum to whoever needs it (CHECKSUM_PARTIAL); the bridge sends the frame
# on with that mark of the first tunnel's header still on it, and l2tp_core makes the second tunnel's sum by the first
# one's place. Whoever receives it counts InCsumErrors, and nobody is told. The other way, which comes over anything that
# writes its sums, all is well; and so it is once the veth has to write them too (ethtool -K … tx off).
#
# It shows where the second tunnel needs its sum: over a network card, or ESP. Here its own veth has to write them. Who tests
# a tunnel switch (an LTS) between network namespaces finds one direction dead.
#
# Downloads Debian's user-mode-linux with apt-get (its lists must be there: apt-get update) and unpacks it, installs
# nothing; needs python3, iproute2 and kmod. Seen with 6.1um4+b13 (kernel 6.1.176): 0 of 3 frames, InCsumErrors 3, and with
# the sums written 3 of 3. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
group=
trap 'if [ -n "$group" ]; then kill -KILL -"$group" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download user-mode-linux 2>/dev/null && dpkg -x user-mode-linux_*.deb .)
release=$(basename "$folder"/usr/lib/uml/modules/*)
mkdir -p "$folder/kernel/lib"
ln -s "$folder/usr/lib/uml/modules" "$folder/kernel/lib/modules"
depmod -b "$folder/kernel" "$release"

cat >"$folder/switch.py" <<'PYTHON'
import ctypes, fcntl, os, socket, struct, subprocess

libc = ctypes.CDLL(None, use_errno=True)


def run(*words):
    subprocess.run(words, check=True)


def inside(namespace):
    """Move this thread into a namespace."""
    with open(f"/run/netns/{namespace}") as handle:
        if libc.setns(handle.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def udp(namespace, own, peer):
    inside(namespace)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((own, 1701))
    made.connect((peer, 1701))
    return made


def l2tp(namespace, carrier, peer, own_ids, peer_ids):
    """A PPPoX socket of a session, or of a tunnel (session 0): linux/if_pppox.h."""
    inside(namespace)
    made = socket.socket(24, socket.SOCK_DGRAM, 1)
    where = struct.pack("=HII", 24, 1, 0) + struct.pack("=i", carrier.fileno()) + struct.pack("=H", socket.AF_INET)
    where += struct.pack("!H4s8x", 1701, socket.inet_aton(peer)) + struct.pack("=HHHH", *own_ids, *peer_ids)
    if libc.connect(made.fileno(), where, len(where)):
        raise OSError(ctypes.get_errno(), "connect")
    return made


def channel(session):
    return struct.unpack("i", fcntl.ioctl(session, 0x80047437, bytes(4)))[0]


def attempt(caller, far):
    """How many of three PPP frames come through."""
    found = 0
    for number in range(3):
        caller.send(b"\xff\x03\xc0\x21\x09" + bytes([number]) + b"\0\x08\0\0\0\0")
        far.settimeout(1)
        try:
            far.recv(1500)
            found += 1
        except TimeoutError:
            pass
    return found


def wrong_sums():
    inside("far")
    names, values = (line.split() for line in open("/proc/thread-self/net/snmp") if line.startswith("Udp:"))
    return int(values[names.index("InCsumErrors")])


def write_sums(namespace, interface):
    """What ethtool -K … tx off does."""
    inside(namespace)
    off = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))  # ETHTOOL_STXCSUM
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8946, struct.pack("16sP", interface.encode(), ctypes.addressof(off)))


for name in ("caller", "switch", "far"):
    run("ip", "netns", "add", name)
for left, right, one, two, network in (("caller", "switch", "c0", "s0", "10.0.0"), ("switch", "far", "s1", "f0", "10.0.1")):
    run("ip", "link", "add", one, "netns", left, "type", "veth", "peer", "name", two, "netns", right)
    for namespace, interface, host in ((left, one, 1), (right, two, 2)):
        run("ip", "-n", namespace, "addr", "add", f"{network}.{host}/30", "dev", interface)
        run("ip", "-n", namespace, "link", "set", interface, "up")

sockets, kept = {}, []
for name, namespace, own, peer, ids, theirs in (
    ("caller", "caller", "10.0.0.1", "10.0.0.2", (1, 11), (2, 12)),
    ("first", "switch", "10.0.0.2", "10.0.0.1", (2, 12), (1, 11)),
    ("second", "switch", "10.0.1.1", "10.0.1.2", (3, 13), (4, 14)),
    ("far", "far", "10.0.1.2", "10.0.1.1", (4, 14), (3, 13)),
):
    carrier = udp(namespace, own, peer)
    kept += [carrier, l2tp(namespace, carrier, peer, (ids[0], 0), (theirs[0], 0))]
    sockets[name] = l2tp(namespace, carrier, peer, ids, theirs)

inside("switch")
one, two = channel(sockets["first"]), channel(sockets["second"])
handle = os.open("/dev/ppp", os.O_RDWR)
fcntl.ioctl(handle, 0x40047438, struct.pack("i", one))
fcntl.ioctl(handle, 0x40047435, struct.pack("i", two))

write_sums("switch", "s1")
came, wrong = attempt(sockets["caller"], sockets["far"]), wrong_sums()
print(f"over a veth as it is: {came} of 3 frames, InCsumErrors {wrong}", flush=True)
write_sums("caller", "c0")
after = attempt(sockets["caller"], sockets["far"])
print(f"with its sums written: {after} of 3 frames, InCsumErrors {wrong_sums() - wrong} more", flush=True)
print("as found" if (came, wrong, after) == (0, 3, 3) else "no longer as found", flush=True)
PYTHON

cat >"$folder/init" <<INIT
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
for module in veth l2tp_ppp; do modprobe -d "$folder/kernel" \$module; done
python3 "$folder/switch.py" 2>&1
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
echo "kernel $("$folder/usr/bin/linux.uml" --version)"
grep -a 'frames\|found' "$folder/console" | tr -d '\r'
grep -q '^as found' "$folder/console"
