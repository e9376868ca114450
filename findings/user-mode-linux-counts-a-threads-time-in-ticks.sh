#!/bin/sh
# In User-Mode Linux (Debian's user-mode-linux, kernel 6.1) the processor time of a thread or a process comes in whole
# ticks of 10 ms, while clock_getres(2) says 1 ns for it, as on any other kernel: the scheduler's clock is jiffies there.
# What a thread takes for something shorter cannot be measured by it, nor a share of the processor be kept by what it
# says. CLOCK_MONOTONIC is fine.
#
# Downloads the Debian package with apt-get (its lists must be there: apt-get update) and unpacks it, installs nothing.
# The guest's Python is this machine's. On a processor whose floating-point area has more than 2,696 bytes this kernel
# does not start. Exit status 0 while it is so.
#
# Output seen, 6.1um4+b13 (kernel 6.1.176):
#   resolution said: 1e-09 s; steps seen in 0.3 s of work: 30, smallest 10.0 ms
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download user-mode-linux 2>/dev/null && dpkg -x user-mode-linux_*.deb .)
cat >"$folder/look.py" <<'LOOK'
import time
clock = time.CLOCK_THREAD_CPUTIME_ID
end, seen = time.monotonic() + 0.3, [time.clock_gettime_ns(clock)]
while time.monotonic() < end:
    now = time.clock_gettime_ns(clock)
    if now != seen[-1]:
        seen.append(now)
steps = [later - before for before, later in zip(seen, seen[1:])]
print(f"resolution said: {time.clock_getres(clock)} s; steps seen in 0.3 s of work: {len(steps)}, "
      f"smallest {min(steps, default=0) / 1e6:.1f} ms", flush=True)
LOOK
cat >"$folder/init" <<INIT
#!/bin/sh
mount -t proc proc /proc
/usr/bin/python3 "$folder/look.py"
echo o >/proc/sysrq-trigger
sleep 60
INIT
chmod 755 "$folder/init"

HOME=$folder timeout -k 1 60 "$folder/usr/bin/linux.uml" rootfstype=hostfs rootflags=/ ro mem=256M "init=$folder/init" \
    con=null con0=null,fd:1 quiet </dev/null >"$folder/console" 2>&1 || true
pkill -KILL -f "$folder/usr/bin/linux.uml" || true
grep '^resolution' "$folder/console" || { echo "the guest did not come so far" >&2; tail -n 3 "$folder/console" >&2; exit 2; }
grep -q 'said: 1e-09 s' "$folder/console"
grep -q 'smallest 10.0 ms' "$folder/console" || { echo "no longer as found" >&2; exit 1; }
