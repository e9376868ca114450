"""pppd's connect script, in which it is held until a call has connected: what has to wait meanwhile, waits there.

It says that it is there through one FIFO of the session's folder, ``waiting``, and goes when a line comes through the
other, ``gate``; where that only ends, as with a rig that was killed, the script fails and pppd ends.
"""

from __future__ import annotations

from pathlib import Path

GATE, WAITING = "gate", "waiting"

_HOLD = f"echo > {WAITING} && read go < {GATE}"

# To record a line, pppd has a second process of its own copy between it and a pty, before the script runs
# (pppd/tty.c, start_charshunt): that one would read what the modem answers to whoever dials meanwhile. So it is
# stopped, and goes on with the script's end, whatever that is. It is pppd's other child, and has its name.
_STOP_COPYING = """\
for process in /proc/[0-9]*/stat; do
    read -r number name state parent rest < $process || continue
    [ "$name $parent" = "(pppd) $PPID" ] && shunt=$number
done 2> /dev/null
[ "$shunt" ] || exit
trap 'kill -CONT $shunt' EXIT
trap exit HUP INT TERM
kill -STOP $shunt || exit
"""


def held_in(folder: Path, *, recording: bool) -> str:
    """The script, for sh. ``folder`` is the session's, with both FIFOs; ``recording``: pppd records the line."""
    return f"cd {folder} || exit\n{_STOP_COPYING if recording else ''}{_HOLD}"
