#!/bin/sh
# User-Mode Linux (Debian's user-mode-linux, kernel 6.1) goes on without its first process: after SIGKILL to the process
# that was started, others of its group are still there, and the one that carried out the guest's program may take a whole
# processor for ever. They also hold every descriptor that the first one had, so that nobody who waits for the end of a
# pipe or a socket to the guest ever sees it.
#
# The processes of a guest are the kernel, two helpers of it and one for each address space inside; PTRACE_O_EXITKILL is
# not set, and the helpers do not ask for a death signal. Whoever kills a guest must kill its process group.
#
# Downloads the Debian package with apt-get (its lists must be there: apt-get update) and unpacks it, installs nothing.
# Seen with 6.1um4+b13 (kernel 6.1.176) on Linux 6.18. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
group=
trap 'if [ -n "$group" ]; then kill -KILL -"$group" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download user-mode-linux 2>/dev/null && dpkg -x user-mode-linux_*.deb .)
cat >"$folder/init" <<'INIT'
#!/bin/sh
echo started
while :; do :; done
INIT
chmod 755 "$folder/init"

: >"$folder/console"
HOME=$folder setsid "$folder/usr/bin/linux.uml" rootfstype=hostfs rootflags=/ ro mem=128M "init=$folder/init" \
    con=null con0=null,fd:1 quiet </dev/null >"$folder/console" 2>&1 &
tries=0
until grep -q '^started' "$folder/console"; do
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || { echo "the guest did not start within 30 s" >&2; tail -n 3 "$folder/console" >&2; exit 2; }
    sleep 0.1
done
group=$(pgrep -o -f "$folder/usr/bin/linux.uml")
before=$(pgrep -c -g "$group")
kill -KILL "$group"
sleep 2
after=$(pgrep -c -g "$group" || true)
echo "kernel $("$folder/usr/bin/linux.uml" --version): $before processes, and two seconds after the first was killed $after"
ps -o pid=,stat=,pcpu=,comm= -g "$group" || true
[ "$after" -gt 0 ] || { echo "no longer as found" >&2; exit 1; }
echo "as found"
