#!/bin/sh
# dnsmasq 2.90 (Debian 12): with --user=root it keeps the user and still takes the group "dip" (or "nogroup"). Linux clears
# PR_SET_PDEATHSIG where a process changes its group (prctl(2)), so whoever starts dnsmasq in the foreground and has it end
# with him, as a test does, leaves it behind when he is killed. With --group=root besides it ends.
#
# Output seen, of a dnsmasq that is to have SIGTERM when its parent dies, half a second after that one was killed:
#   --user=root                runs on, group dip
#   --user=root --group=root   has ended
#
# Root: only then does it change its group.
set -eu
[ "$(id -u)" = 0 ] || { echo "to be run as root" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get -qq download dnsmasq-base libnetfilter-conntrack3 libnftables1 libnftnl11 libnfnetlink0 libmnl0 \
    libjansson4 libnettle8 libhogweed6 liblua5.3-0 libxtables12 2>/dev/null
    for package in *.deb; do dpkg -x "$package" files; done)
LD_LIBRARY_PATH=$(echo "$folder"/files/usr/lib/*-linux-gnu):$(echo "$folder"/files/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >"$folder/parent.py" <<'PYTHON'
import ctypes, os, signal, subprocess, sys

def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG

with subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent) as child:
    for line in child.stderr:
        if "started" in line:
            break
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
PYTHON
echo "version: $("$folder/files/usr/sbin/dnsmasq" --version | head -n 1)"
runs() { # and is not only waiting for somebody to ask how it has ended
    grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"
}
left() {
    pid=$(unshare --net sh -c 'ip link set lo up; exec "$@"' sh python3 "$folder/parent.py" "$folder/files/usr/sbin/dnsmasq" \
        --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --log-facility=- --pid-file= \
        --listen-address=127.0.0.1 "$@" 2>/dev/null) || true
    for _ in 1 2 3 4 5; do
        runs "$pid" || break
        sleep 0.1
    done
    if runs "$pid"; then
        echo "$*: runs on, group $(stat -c %G "/proc/$pid")"
        kill "$pid"
    else
        echo "$*: has ended"
    fi
}
one=$(left --user=root) two=$(left --user=root --group=root)
echo "$one"
echo "$two"
case $one in "--user=root: runs on, group "*) ;; *) exit 1 ;; esac
[ "$two" = "--user=root --group=root: has ended" ]
